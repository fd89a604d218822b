import type { RawData, WebSocket } from 'ws';
import type { Identity, Member, Rooms } from './rooms';
import {
  checkChannelName,
  isEncrypted,
  isGuarded,
  isPresence,
  MAX_DATA_BYTES,
  MAX_MEMBERS,
  parseObject,
  Refusal,
} from './rules';
import { hmac, isSame } from './signature';

const ACTIVITY_TIMEOUT_SECONDS = 120;
let connections = 0;

/** An answer of the protocol that ends the connection, or (without a code) does not. */
class ProtocolError extends Error {
  constructor(
    message: string,
    readonly code: number | null = null,
  ) {
    super(message);
  }
}

/** One client's connection: Pusher's WebSocket protocol, version 7. */
export class ClientConnection implements Member {
  readonly socketId: string;
  readonly #handlers: Readonly<Record<string, (message: Record<string, unknown>) => void>> = {
    'pusher:ping': () => this.send('pusher:pong', '{}'),
    'pusher:pong': () => {},
    'pusher:subscribe': (message) => this.#subscribe(dataOf(message)),
    'pusher:unsubscribe': (message) => this.rooms.leave(String(dataOf(message)['channel']), this),
    'pusher:signin': (message) => this.#signIn(dataOf(message)),
  };

  constructor(
    private readonly socket: WebSocket,
    private readonly rooms: Rooms,
  ) {
    this.socketId = `${++connections}.${Math.floor(Math.random() * 1e9)}`;
    socket.on('message', (raw) => this.#take(raw));
    socket.on('close', () => rooms.leaveAll(this));
    this.send(
      'pusher:connection_established',
      JSON.stringify({ socket_id: this.socketId, activity_timeout: ACTIVITY_TIMEOUT_SECONDS }),
    );
  }

  send(event: string, data: string, channel?: string, userId?: string): void {
    const user = userId === undefined ? {} : { user_id: userId };
    this.socket.send(JSON.stringify({ event, data, ...(channel === undefined ? {} : { channel }), ...user }));
  }

  #take(raw: RawData): void {
    try {
      const message = parseObject(raw.toString());
      const event = message?.['event'];
      if (message === undefined || typeof event !== 'string') throw new ProtocolError('Invalid message');
      const handler = this.#handlers[event];
      if (handler !== undefined) handler(message);
      else this.#clientEvent(event, message);
    } catch (error) {
      if (!(error instanceof ProtocolError) && !(error instanceof Refusal)) throw error;
      const code = error instanceof ProtocolError ? error.code : null;
      this.socket.send(JSON.stringify({ event: 'pusher:error', data: { code, message: error.message } }));
      if (code !== null && code < 4300) this.socket.close(code, error.message);
    }
  }

  #subscribe(data: Record<string, unknown>): void {
    const channel = checkChannelName(data['channel']);
    if (this.rooms.has(channel, this)) throw new ProtocolError(`Existing subscription to channel ${channel}`);
    const channelData = typeof data['channel_data'] === 'string' ? data['channel_data'] : undefined;
    if (isGuarded(channel)) {
      const signed = [this.socketId, channel, ...(channelData === undefined ? [] : [channelData])].join(':');
      this.#checkAuth(String(data['auth'] ?? ''), signed);
    }
    const identity = isPresence(channel) ? identityOf(channelData) : undefined;
    if (identity !== undefined && this.rooms.users(channel).size >= MAX_MEMBERS) {
      throw new ProtocolError(`Presence channel ${channel} is over its limit of members`, 4302);
    }
    this.rooms.join(channel, this, identity);
    const answer = identity === undefined ? {} : { presence: presenceOf(this.rooms.users(channel)) };
    this.send('pusher_internal:subscription_succeeded', JSON.stringify(answer), channel);
  }

  #checkAuth(auth: string, signed: string): void {
    const { key, secret } = this.rooms.app;
    const [givenKey = '', signature = ''] = auth.split(':');
    if (givenKey !== key) throw new ProtocolError(`Invalid key in subscription auth data: '${givenKey}'`);
    if (isSame(hmac(secret, signed), signature)) return;
    throw new ProtocolError(
      `Invalid signature: Expected HMAC SHA256 hex digest of ${signed}, but got ${signature}`,
    );
  }

  #signIn(data: Record<string, unknown>): void {
    const userData = String(data['user_data'] ?? '');
    this.#checkAuth(String(data['auth'] ?? ''), `${this.socketId}::user::${userData}`);
    const id = parseObject(userData)?.['id'];
    if (typeof id !== 'string' || id === '') throw new ProtocolError('user_data needs an id', 4009);
    this.rooms.signIn(id, this);
    this.send('pusher:signin_success', JSON.stringify({ user_data: userData }));
  }

  #clientEvent(event: string, message: Record<string, unknown>): void {
    const channel = String(message['channel']);
    const data =
      typeof message['data'] === 'string' ? message['data'] : JSON.stringify(message['data'] ?? null);
    if (!event.startsWith('client-')) throw new ProtocolError(`Unknown event ${event}`);
    if (this.rooms.app.clientEvents !== true) {
      throw new ProtocolError('To send client events, you must enable this feature in the dashboard', 4301);
    }
    if (!isGuarded(channel) || isEncrypted(channel)) {
      throw new ProtocolError(
        'Client event rejected - only supported on private and presence channels',
        4301,
      );
    }
    if (!this.rooms.has(channel, this)) {
      throw new ProtocolError(`Client event rejected - you aren't subscribed to channel ${channel}`, 4301);
    }
    if (Buffer.byteLength(data) > MAX_DATA_BYTES) throw new ProtocolError('Client event too large', 4301);
    this.rooms.fromClient(channel, event, data, this);
  }
}

/** Why a client with this request is not let in at all; undefined where it is. */
export function connectionRefusal(
  rooms: Rooms | undefined,
  query: URLSearchParams,
): readonly [code: number, message: string] | undefined {
  if (!query.has('protocol')) return [4008, 'No protocol version supplied'];
  if (query.get('protocol') !== '7') return [4007, 'Unsupported protocol version'];
  if (rooms === undefined) {
    return [4001, 'Could not find app by key. Perhaps you are connecting to the wrong cluster.'];
  }
  return rooms.app.disabled === true ? [4003, 'Application disabled'] : undefined;
}

function dataOf(message: Record<string, unknown>): Record<string, unknown> {
  const { data } = message;
  if (typeof data === 'string') return parseObject(data) ?? {};
  return typeof data === 'object' && data !== null ? { ...data } : {};
}

function identityOf(channelData: string | undefined): Identity {
  const { user_id, user_info } = parseObject(channelData ?? '') ?? {};
  if (typeof user_id !== 'string' && typeof user_id !== 'number') {
    throw new ProtocolError('Missing user_id in channel_data');
  }
  return { user_id: String(user_id), ...(user_info === undefined ? {} : { user_info }) };
}

function presenceOf(users: ReadonlyMap<string, unknown>): unknown {
  return { ids: [...users.keys()], hash: Object.fromEntries(users), count: users.size };
}
