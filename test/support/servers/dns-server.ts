import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import { Happenings } from '../signals/signals';

/** Addresses of a name; or nothing at all is answered, or that the server cannot find out. */
export type DnsAnswer = readonly string[] | 'silent' | 'refused';

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
}

const A = 1;
const AAAA = 28;
const NO_SUCH_NAME = 3;
const SERVER_FAILURE = 2;
const HEADER = 12;

/** A name server on the loopback: knows what the test says, and no other name. */
export class DnsServer {
  readonly questions = new Happenings<DnsQuestion>();
  readonly answers = new Map<string, DnsAnswer>();
  /** What every name without an answer of its own gets; undefined: that it does not exist. */
  otherwise: DnsAnswer | undefined;
  ttlSeconds = 60;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (message, { address, port }) => {
      const reply = this.reply(message);
      if (reply !== undefined) socket.send(reply, port, address);
    });
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new DnsServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.socket.address().port}`;
  }

  asked(name: string, type = A): number {
    return this.questions.all.filter((each) => each.name === name && each.type === type).length;
  }

  async stop(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.close();
    await closed;
  }

  private reply(message: Buffer): Buffer | undefined {
    const { name, end } = nameIn(message);
    const type = message.readUInt16BE(end);
    this.questions.add({ name, type });
    const answer = this.answers.get(name) ?? (name === '' ? [] : this.otherwise);
    if (answer === 'silent') return undefined;
    const question = message.subarray(HEADER, end + 4);
    if (answer === 'refused') return Buffer.concat([header(message, SERVER_FAILURE, 0), question]);
    if (answer === undefined) return Buffer.concat([header(message, NO_SUCH_NAME, 0), question]);
    const fitting = answer.filter((address) => type === (isIPv4(address) ? A : AAAA));
    const records = fitting.map((address) => record(address, type, this.ttlSeconds));
    return Buffer.concat([header(message, 0, records.length), question, ...records]);
  }
}

function nameIn(message: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function header(message: Buffer, code: number, answers: number): Buffer {
  const head = Buffer.alloc(HEADER);
  message.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | code, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(answers, 6);
  return head;
}

function record(address: string, type: number, ttl: number): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
  const head = Buffer.alloc(12);
  // The question's name, by reference.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6(address: string): Buffer {
  const [left = '', right = ''] = address.split('::');
  const parts = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((part) => Number.parseInt(part, 16));
  const [head, tail] = [parts(left), parts(right)];
  const all = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((part) => [part >> 8, part & 0xff]));
}
