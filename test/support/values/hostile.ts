import { randomBytes } from 'node:crypto';

/** Numbers from a seed, the same on every machine (mulberry32). */
export class Dice {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  one<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

const KEY = randomBytes(16).toString('base64');
const UPGRADE = `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n`;

const PATHS: readonly string[] = [
  '/',
  '/?instance=loja',
  '/?instance=%',
  '/?instance=a&last-event-id=0-0&apikey=x',
  '//',
  '/x',
  '/socket.io',
  '/socket.io/',
  '/socket.io/?EIO=4&transport=websocket',
  '/socket.io/?EIO=4&transport=polling',
  '/socket.io/?EIO=4&transport=polling&sid=constructor',
  '/socket.io/?EIO=3&transport=websocket&sid=__proto__',
  '/socket.io/../x',
  '/socket.io/?%E0%A4%A',
  '/pusher/webhook/x',
  '/pusher/auth',
  '/pusher/user-auth',
  '/webhook/set/loja',
  '/webhook/test/%00',
  '/webhook/find/%E0%A4%A',
  '/settings/set/__proto__',
  '/events/x?expires=__proto__&signature[]=1',
  '/dead-letters?limit=-1&__proto__=1&constructor=2',
  '/docs/',
  '/docs/json',
  '/docs/static/../../../../etc/passwd',
  '/docs/static/%2e%2e%2f%2e%2e%2fpackage.json',
  '/healthz',
  '/readyz',
  '/metrics',
  'http://evil.example/',
  '*',
  `/${'a'.repeat(9000)}`,
  `/${'%41'.repeat(3000)}`,
  `/metrics?${'a=1&'.repeat(3000)}`,
  `/${'../'.repeat(2000)}`,
];

const METHODS: readonly string[] = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PATCH',
  'PRI',
  'BREW',
];

const HEADERS: readonly string[] = [
  '',
  UPGRADE,
  UPGRADE.replace('13', '99'),
  'connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n',
  'expect: 100-continue\r\n',
  'expect: miracles\r\n',
  'content-length: 10\r\ncontent-type: application/json\r\n',
  'content-length: 10\r\ncontent-length: 11\r\n',
  'content-length: -1\r\n',
  'content-length: 99999999999999999999\r\n',
  'content-length: 1000000\r\ncontent-type: application/json\r\n',
  'transfer-encoding: chunked\r\ncontent-type: application/json\r\n',
  'transfer-encoding: chunked\r\ncontent-length: 5\r\n',
  'transfer-encoding: gzip, identity\r\n',
  'content-type: application/x-www-form-urlencoded\r\ncontent-length: 30\r\n',
  'content-type: multipart/form-data; boundary=__proto__\r\ncontent-length: 30\r\n',
  'apikey: wrong\r\n',
  'apikey: a\r\napikey: b\r\n',
  `apikey: ${'k'.repeat(8000)}\r\n`,
  'origin: null\r\n',
  'origin: https://evil.example\r\naccess-control-request-method: POST\r\n',
  `x-forwarded-for: ${'1,'.repeat(4000)}\r\n`,
  `${'x: y\r\n'.repeat(2500)}`,
  '__proto__: 1\r\nconstructor: 2\r\n',
  'cookie: a=b\r\n',
  'x-pusher-key: k\r\nx-pusher-signature: s\r\ncontent-length: 100000\r\n',
  'x: \0\r\n',
  ' folded\r\n\tmore\r\n',
];

const BODIES: readonly string[] = [
  '',
  '{"a":1}xxx',
  '['.repeat(20_000),
  '{"__proto__":{"constructor":{"prototype":1}}}',
  '5\r\nhello\r\n0\r\n\r\n',
  'zz\r\nhello\r\n',
  'ffffffffffffffff\r\nx',
  `1;${'e'.repeat(20_000)}\r\nx\r\n`,
  'socket_id=1.1&channel_name=private-loja&user_info=%5B%5B',
  'GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(500),
  '40/loja,\x1e'.repeat(5000),
  '\x81\xfe\x00\x7e\x00\x00\x00\x00',
  '\x88\x80\x00\x00\x00\x00',
  '\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff',
  '\x89\x80aaaa'.repeat(3000),
];

/** What somebody who means no good might send: mostly almost HTTP. */
export function hostileBytes(dice: Dice): Buffer {
  if (dice.below(12) === 0) return randomish(dice, 1 + dice.below(3000));
  const version = dice.one([
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/2.0',
    'http/1.1',
  ]);
  const host = dice.one(['host: x\r\n', 'host: x\r\n', '', 'host: a\r\nhost: b\r\n', 'host: \r\n']);
  const head = `${dice.one(METHODS)} ${dice.one(PATHS)} ${version}\r\n${host}${dice.one(HEADERS)}${dice.one(HEADERS)}\r\n`;
  const message = Buffer.from(head + dice.one(BODIES) + dice.one(BODIES), 'latin1');
  if (dice.below(4) > 0) return message;
  // One byte is another one.
  message[dice.below(message.length)] = dice.below(256);
  return message;
}

function randomish(dice: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => dice.below(256)));
}
