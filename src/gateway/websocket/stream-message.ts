import type { Published } from '../../destinations/websocket/stream';
import type { StreamId } from './stream-id';

/** A packet of socket.io, in the two forms that its transports need. */
export interface SocketIoPacket {
  /** A WebSocket frame. A large one is in two pieces: the second, which holds the event, is one buffer for all clients. */
  readonly frame: readonly Buffer[];
  /** For long polling: shares the event's text with all other clients until an answer is put together. */
  readonly text: string;
}

/** One event on its way to WebSocket clients; what they receive is put together once for all of them. */
export class StreamMessage {
  readonly id: StreamId;
  readonly event: string;
  /** Of the entry before this one in the stream. */
  readonly previous: StreamId | undefined;
  /** Which stream it belongs to. */
  readonly born: string | undefined;
  private jsonBytes: Buffer | undefined;
  private frameBytes: Buffer | undefined;
  private payload: Payload | undefined;
  private packet: { readonly namespace: string; readonly packet: SocketIoPacket } | undefined;

  constructor(private readonly published: Published) {
    this.id = published.id;
    this.event = published.event;
    this.previous = published.previous;
    this.born = published.born;
  }

  /** About what a client receives, and what is held in memory for it. */
  get bytes(): number {
    return this.published.body.length + OVERHEAD;
  }

  /** The event's JSON with two keys of ours: `id`, to resume after, and `delivery_id`, to recognise copies by. */
  get json(): Buffer {
    if (this.jsonBytes === undefined) {
      const { body, id, deliveryId } = this.published;
      const ours = `,"id":"${id}","delivery_id":${JSON.stringify(deliveryId)}}`;
      this.jsonBytes = Buffer.concat([body.subarray(0, -1), Buffer.from(ours)]);
    }
    return this.jsonBytes;
  }

  /** A WebSocket frame that holds the JSON (RFC 6455, section 5.2: one text frame, not masked). */
  get frame(): Buffer {
    this.frameBytes ??= Buffer.concat([frameHead(this.json.length), this.json]);
    return this.frameBytes;
  }

  /**
   * An EVENT packet of the socket.io protocol (version 5, Packet encoding). Made here instead of by its encoder, which
   * would have to parse the event first: numbers beyond 2^53 would not survive that. Clients may write one namespace in
   * many ways (percent-encoded), so that only the few bytes that name it are made for each.
   */
  socketIoPacket(namespace: string): SocketIoPacket {
    if (this.packet?.namespace !== namespace) {
      this.packet = { namespace, packet: this.createPacket(namespace) };
    }
    return this.packet.packet;
  }

  private createPacket(namespace: string): SocketIoPacket {
    this.payload ??= new Payload(Buffer.concat([this.json, PACKET_END]));
    const { payload } = this;
    const scope = namespace === '/' ? '' : `${namespace},`;
    const start = `2${scope}[${JSON.stringify(clientEventName(this.event))},`;
    const packetStart = Buffer.from(ENGINE_MESSAGE + start);
    const pieces = [frameHead(packetStart.length + payload.bytes.length), packetStart, payload.bytes];
    const isSmall = payload.bytes.length <= ONE_PIECE_BYTES;
    const frame = isSmall ? [Buffer.concat(pieces)] : [Buffer.concat(pieces.slice(0, 2)), payload.bytes];
    return new Packet(frame, start, payload);
  }
}

/** What all packets of an event end with, whatever their namespace. */
class Payload {
  private inText: string | undefined;

  constructor(readonly bytes: Buffer) {}

  get text(): string {
    this.inText ??= this.bytes.toString('utf8');
    return this.inText;
  }
}

class Packet implements SocketIoPacket {
  constructor(
    readonly frame: readonly Buffer[],
    private readonly start: string,
    private readonly payload: Payload,
  ) {}

  get text(): string {
    return this.start + this.payload.text;
  }
}

/** Of the keys that are added and of the head of a frame. */
const OVERHEAD = 128;
/** What engine.io, below socket.io, begins a message with. */
const ENGINE_MESSAGE = '4';
const PACKET_END = Buffer.from(']');
/** Up to here one write is worth more than one buffer for clients that write their namespace differently. */
const ONE_PIECE_BYTES = 16_384;

/** Names that socket.io's clients keep for themselves: such a packet would end the connection. */
const RESERVED: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

function clientEventName(event: string): string {
  return RESERVED.has(event) ? `event.${event}` : event;
}

const FINAL_TEXT = 0x81;
/** Lengths up to here stand in the head itself, then in two bytes, then in eight. */
const SHORT = 125;
const TWO_BYTES = 126;
const EIGHT_BYTES = 127;

function frameHead(length: number): Buffer {
  if (length <= SHORT) return Buffer.from([FINAL_TEXT, length]);
  const isLong = length > 0xffff;
  const head = Buffer.alloc(isLong ? 10 : 4);
  head[0] = FINAL_TEXT;
  head[1] = isLong ? EIGHT_BYTES : TWO_BYTES;
  if (isLong) head.writeBigUInt64BE(BigInt(length), 2);
  else head.writeUInt16BE(length, 2);
  return head;
}
