import type { Published } from '../../destinations/websocket/stream';
import type { StreamId } from './stream-id';

/** One event on its way to WebSocket clients; what they receive is put together once for all of them. */
export class StreamMessage {
  readonly id: StreamId;
  readonly event: string;
  private jsonBytes: Buffer | undefined;
  private frameBytes: Buffer | undefined;
  private packet: { readonly namespace: string; readonly text: string } | undefined;

  constructor(private readonly published: Published) {
    this.id = published.id;
    this.event = published.event;
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
   * would have to parse the event first: numbers beyond 2^53 would not survive that.
   */
  socketIoPacket(namespace: string): string {
    if (this.packet?.namespace !== namespace) {
      const scope = namespace === '/' ? '' : `${namespace},`;
      const name = JSON.stringify(clientEventName(this.event));
      this.packet = { namespace, text: `2${scope}[${name},${this.json.toString('utf8')}]` };
    }
    return this.packet.text;
  }
}

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
