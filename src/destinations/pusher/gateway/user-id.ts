import type { Access } from '../../../http-api/keys';

/**
 * The id under which Pusher knows a user. A token speaks for its instance alone, so that its users carry the instance's
 * name, up to the first slash: within that name a slash is written as %2F, and so it is in what the operator's hook says,
 * whose users belong to no instance. The operator's own key may name anybody.
 */
export function userIdOf(user: string, access: Access | 'hook', instance: string | undefined): string {
  if (access === 'instance') return `${withoutSlash(instance ?? '')}/${user}`;
  return access === 'hook' ? withoutSlash(user) : user;
}

function withoutSlash(text: string): string {
  return text.replace(/[%/]/g, encodeURIComponent);
}
