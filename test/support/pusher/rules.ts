/**
 * What Pusher takes and refuses, with the sources: the documents handed to the project (names of events of at most 200
 * bytes, 10 events in a batch, 10 KB of data), the checks of its own libraries, and its HTTP API reference.
 */

/** An account's app, as its dashboard shows it; a test may change it at any moment. */
export interface PusherApp {
  readonly id: string;
  readonly key: string;
  readonly secret: string;
  /** Suspended by hand, or for not having paid. */
  disabled?: boolean;
  /** More messages than the plan allows. */
  overQuota?: boolean;
  clientEvents?: boolean;
  /** Where its webhooks go. */
  webhookUrl?: string;
}

/** An answer that is not 200, with the words of the service. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export const MAX_DATA_BYTES = 10_240;
export const MAX_BATCH = 10;
export const MAX_CHANNELS = 100;
const MAX_CHANNEL_NAME = 164;
const MAX_EVENT_NAME = 200;
export const TIMESTAMP_WINDOW_SECONDS = 600;
/** Members of a presence channel. */
export const MAX_MEMBERS = 100;

export function checkChannelName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw new Refusal(400, 'Missing channel name');
  const isToUser = name.startsWith('#server-to-user-');
  const rest = isToUser ? name.slice('#server-to-user-'.length) : name;
  if (/[^A-Za-z0-9_\-=@,.;]/.test(rest)) throw new Refusal(400, `Invalid channel name: ${name}`);
  if (name.length > MAX_CHANNEL_NAME) throw new Refusal(400, `Channel name too long: ${name}`);
  return name;
}

export function checkEventName(name: unknown): string {
  if (typeof name !== 'string' || name === '') throw new Refusal(400, 'Missing required parameter: name');
  if (Buffer.byteLength(name) > MAX_EVENT_NAME) throw new Refusal(400, `Event name too long: ${name}`);
  return name;
}

export function checkData(data: unknown, channel: string): string {
  if (typeof data !== 'string') throw new Refusal(400, 'Missing required parameter: data (a string)');
  if (Buffer.byteLength(data) > MAX_DATA_BYTES) {
    throw new Refusal(
      413,
      `The data content of this event exceeds the allowed maximum (${MAX_DATA_BYTES} bytes). See https://pusher.com/docs/channels/server_api/http-api#publishing-events for more info`,
    );
  }
  if (isEncrypted(channel)) checkEncrypted(data);
  return data;
}

/** A client that holds the key could read nothing else. */
function checkEncrypted(data: string): void {
  const { nonce, ciphertext } = parseObject(data) ?? {};
  if (typeof nonce !== 'string' || typeof ciphertext !== 'string') {
    throw new Refusal(400, 'Events on encrypted channels need a nonce and a ciphertext');
  }
}

export function isEncrypted(channel: string): boolean {
  return channel.startsWith('private-encrypted-');
}

export function isPresence(channel: string): boolean {
  return channel.startsWith('presence-');
}

/** Whether subscribing needs a signature. */
export function isGuarded(channel: string): boolean {
  return channel.startsWith('private-') || isPresence(channel);
}

export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
