/**
 * What Pusher takes as names. Sources: "Channel naming conventions" of its documentation (at most 164 characters) and the
 * documentation of its HTTP API (at most 200 for the name of an event), which counts bytes of UTF-8.
 */
const MAX_CHANNEL_BYTES = 164;
const MAX_EVENT_BYTES = 200;
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
  const bytes = Buffer.byteLength(prefix + instance);
  if (bytes > MAX_CHANNEL_BYTES) {
    return `Pusher takes at most ${MAX_CHANNEL_BYTES} characters as the name of a channel: prefix and instance have ${bytes}`;
  }
  if (isEncryptedChannel(prefix + instance) && !isEncryptedChannel(prefix)) {
    return `Pusher takes every channel that begins with ${ENCRYPTED} for an encrypted one: set it as PUSHER_CHANNEL_PREFIX, or rename the instance`;
  }
  return undefined;
}

/**
 * Whether events may be sent to this channel: it is the prefix and an instance.
 * @param instances those of the app; undefined: all
 */
export function isOwnChannel(
  channel: string,
  prefix: string,
  instances: ReadonlySet<string> | undefined,
): boolean {
  if (!channel.startsWith(prefix)) return false;
  const instance = channel.slice(prefix.length);
  return instances === undefined
    ? instanceNameProblem(instance, prefix) === undefined
    : instances.has(instance);
}

/** Why an event cannot be sent under its name; undefined where it can. */
export function eventNameProblem(event: string): string | undefined {
  const bytes = Buffer.byteLength(event);
  if (bytes <= MAX_EVENT_BYTES) return undefined;
  return `Pusher takes at most ${MAX_EVENT_BYTES} bytes as the name of an event: this one has ${bytes}`;
}

/** What is wrong with a channel prefix; undefined where nothing is. */
export function prefixProblem(prefix: string): string | undefined {
  if (WRONG_CHARACTER.test(prefix)) return 'must be of letters, digits and _ - = @ , . ;';
  return prefix.length < MAX_CHANNEL_BYTES
    ? undefined
    : `must be shorter than ${MAX_CHANNEL_BYTES} characters`;
}
