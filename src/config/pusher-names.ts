/**
 * What Pusher takes as names. Sources: "Channel naming conventions" of its documentation and the checks of its own
 * libraries, which the documents repeat ("at most 200 characters").
 */
const MAX_LENGTH = 200;
const WRONG_CHARACTER = /[^A-Za-z0-9_\-=@,.;]/u;
const ENCRYPTED = 'private-encrypted-';

export function isEncryptedChannel(channel: string): boolean {
  return channel.startsWith(ENCRYPTED);
}

export function isPresenceChannel(channel: string): boolean {
  return channel.startsWith('presence-');
}

/** Whether subscribing to it needs a signature. */
export function isGuardedChannel(channel: string): boolean {
  return channel.startsWith('private-') || isPresenceChannel(channel);
}

/** Why the events of an instance cannot have a channel at Pusher; undefined where they can. */
export function instanceNameProblem(instance: string, prefix: string): string | undefined {
  if (instance === '') return 'a channel needs the name of an instance';
  const [wrong] = WRONG_CHARACTER.exec(instance) ?? [];
  if (wrong !== undefined) {
    return `Pusher takes letters, digits and _ - = @ , . ; in the names of channels: ${JSON.stringify(wrong)} in the instance's name is none of them`;
  }
  const length = prefix.length + instance.length;
  if (length > MAX_LENGTH) {
    return `Pusher takes at most ${MAX_LENGTH} characters as the name of a channel: prefix and instance have ${length}`;
  }
  if (isEncryptedChannel(prefix + instance) && !isEncryptedChannel(prefix)) {
    return `Pusher takes every channel that begins with ${ENCRYPTED} for an encrypted one: set it as PUSHER_CHANNEL_PREFIX, or rename the instance`;
  }
  return undefined;
}

/** Why an event cannot be sent under its name; undefined where it can. */
export function eventNameProblem(event: string): string | undefined {
  const bytes = Buffer.byteLength(event);
  if (bytes <= MAX_LENGTH) return undefined;
  return `Pusher takes at most ${MAX_LENGTH} characters as the name of an event: this one has ${bytes}`;
}

/** What is wrong with a channel prefix; undefined where nothing is. */
export function prefixProblem(prefix: string): string | undefined {
  if (WRONG_CHARACTER.test(prefix)) return 'must be of letters, digits and _ - = @ , . ;';
  return prefix.length < MAX_LENGTH ? undefined : `must be shorter than ${MAX_LENGTH} characters`;
}
