/**
 * A process of receivers that mean harm, each on a port of its own: `fork(file, { execArgv: ['-r', 'ts-hook.cjs'] })`.
 * It sends the ports by name, and ends with its parent.
 */
import { createServer, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { resetSocket } from '../../../src/redis/socket-reset';

/** What a receiver does with a connection once a request comes, or, where it is named `early…`, at once. */
export type Misdeed = (socket: Socket) => void;

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const KB64 = 65_536;
const BOMB = gzipSync(Buffer.alloc(4_000_000));

/** As fast as the other side reads. */
function flood(bytes: string | Buffer, first: string | Buffer = ''): Misdeed {
  const chunk = Buffer.alloc(KB64, bytes);
  return (socket) => {
    const write = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', write);
    socket.write(first);
    write();
  };
}

/** A little at a time, without end. */
function drip(bytes: string, first = ''): Misdeed {
  return (socket) => {
    socket.write(first);
    const timer = setInterval(() => socket.write(bytes), 20);
    socket.on('close', () => clearInterval(timer));
  };
}

function say(...parts: readonly (string | Buffer)[]): Misdeed {
  return (socket) => {
    for (const part of parts) socket.write(part);
  };
}

function resetAfter(text: string): Misdeed {
  return (socket) => {
    socket.write(text, () => resetSocket(socket));
  };
}

const HEAD = (status: number): string => `HTTP/1.1 ${status} Status\r\n`;
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';

/** What each does, and the code of the outcome: `delivered`, or of a failure. */
export const MISDEEDS: Readonly<Record<string, readonly [misdeed: Misdeed, outcome: RegExp]>> = {
  'is well': [say(OK), /^delivered$/],
  'sends one header of 16 KB and 9,800 short ones': [
    say(`${HEAD(200)}x: ${'y'.repeat(16_400)}\r\n${'a:b\r\n'.repeat(9800)}\r\n`),
    /ANSWER_HEAD_TOO_LARGE|HEADERS_OVERFLOW/,
  ],
  'sends 13,000 short headers': [say(`${HEAD(200)}${'a:b\r\n'.repeat(13_000)}\r\n`), /ANSWER_HEAD_TOO_LARGE/],
  'floods with cookies': [flood('set-cookie: a=b\r\n', HEAD(200)), /ANSWER_HEAD_TOO_LARGE/],
  'never ends its status line': [flood('x', 'HTTP/1.1 200 '), /ANSWER_HEAD_TOO_LARGE/],
  'never ends a header': [flood('x', `${HEAD(200)}x: `), /ANSWER_HEAD_TOO_LARGE|HEADERS_OVERFLOW/],
  'drips headers': [drip('x: y\r\n', HEAD(200)), /TIMEOUT|ANSWER_HEAD_TOO_LARGE/],
  'drips half a status line': [drip('', 'HTTP/1.1 1'), /TIMEOUT/],
  'says 100 unasked and then 200': [say('HTTP/1.1 100 Continue\r\n\r\n', OK), /^delivered$/],
  'says 100 and 200 in one piece': [say(`HTTP/1.1 100 Continue\r\n\r\n${OK}`), /^delivered$/],
  'says 102 and 103 and then 200': [
    say('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n', '\r\n', OK),
    /^delivered$/,
  ],
  'says 100 letter by letter': [
    (socket) => {
      const letters = [...`HTTP/1.1 100 Continue\r\n\r\n${OK}`];
      const timer = setInterval(() => {
        const letter = letters.shift();
        if (letter === undefined) clearInterval(timer);
        else socket.write(letter);
      }, 2);
      socket.on('close', () => clearInterval(timer));
    },
    /^delivered$/,
  ],
  'floods with 100': [flood('HTTP/1.1 100 Continue\r\n\r\n'), /TOO_MANY_INTERIM_ANSWERS/],
  'floods with 103': [flood('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'), /TOO_MANY_INTERIM_ANSWERS/],
  'drips 102': [drip('HTTP/1.1 102 Processing\r\n\r\n'), /TIMEOUT|TOO_MANY_INTERIM_ANSWERS/],
  'never ends an interim answer': [flood('a:b\r\n', 'HTTP/1.1 103 Hints\r\n'), /ANSWER_HEAD_TOO_LARGE/],
  'changes the protocol unasked': [
    say('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'),
    /UND_ERR_SOCKET/,
  ],
  'never ends its body': [flood('x', `${HEAD(200)}\r\n`), /^delivered$/],
  'never ends the body of an error': [flood('x', `${HEAD(500)}\r\n`), /HTTP_500/],
  'drips the body of an error': [drip('x', `${HEAD(503)}content-length: 100000\r\n\r\n`), /HTTP_503/],
  'sends chunks of one byte': [flood('1\r\nx\r\n', `${HEAD(500)}${CHUNKED}`), /HTTP_500/],
  'never ends a chunk extension': [flood('x', `${HEAD(500)}${CHUNKED}1;x=`), /HTTP_500/],
  'floods with trailers': [flood('a:b\r\n', `${HEAD(500)}${CHUNKED}1\r\nx\r\n0\r\n`), /HTTP_500/],
  'sends a bomb of gzip': [
    say(`${HEAD(500)}content-encoding: gzip\r\ncontent-length: ${BOMB.length}\r\n\r\n`, BOMB),
    /HTTP_500/,
  ],
  'sends more answers than it was asked for': [flood(OK), /^delivered$/],
  'answers before it was asked': [() => {}, /./],
  'ends in the middle of a body': [resetAfter(`${HEAD(200)}content-length: 10\r\n\r\nhalf`), /^delivered$/],
  'resets in the middle of its headers': [resetAfter(`${HEAD(200)}x: `), /ECONNRESET|UND_ERR_SOCKET/],
  'resets at once': [(socket) => resetSocket(socket), /ECONNRESET|UND_ERR_SOCKET|EPIPE/],
  'closes at once': [(socket) => socket.end(), /UND_ERR_SOCKET|ECONNRESET/],
  'promises to keep the connection and resets it': [resetAfter(OK), /^delivered$/],
  'gives two lengths': [
    say(`${HEAD(500)}content-length: 5\r\ncontent-length: 50\r\n\r\nhello`),
    /HTTP_500|^HPE_|UND_ERR/,
  ],
  'speaks another protocol': [say('SSH-2.0-OpenSSH_9.2\r\n'), /^HPE_/],
  'speaks another protocol that begins with H': [say('HELO\r\n'), /TIMEOUT/],
  'sends zeros': [flood('\0'), /^HPE_/],
  'says nothing': [() => {}, /TIMEOUT/],
  'does not read': [(socket) => socket.pause(), /TIMEOUT/],
};

/** Runs where this file is a process of its own. */
function main(): void {
  const ports: Record<string, number> = {};
  for (const [name, [misdeed]] of Object.entries(MISDEEDS)) {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (name.startsWith('answers before')) socket.write(OK);
      if (name.startsWith('does not read')) misdeed(socket);
      // A keep-alive connection brings more than one request.
      else socket.on('data', () => misdeed(socket));
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      ports[name] = typeof address === 'object' && address !== null ? address.port : 0;
      if (Object.keys(ports).length === Object.keys(MISDEEDS).length) process.send?.(ports);
    });
  }
  process.on('disconnect', () => process.exit());
}

if (require.main === module) main();
