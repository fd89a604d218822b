import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '../errors';

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** What Node.js calls by a code, in our words. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The headers of the request are too large' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The request took too long to arrive' },
};

const NO_HTTP: Refusal = { status: 400, message: 'What arrived is no HTTP request' };

/** Answers what could not be read as a request, in the shape of every other error, and ends the connection. */
export function refuseUnreadable(error: Error, socket: Socket): void {
  if (errorCode(error) === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(answerTo(REFUSALS[errorCode(error)] ?? NO_HTTP));
  socket.destroy(error);
}

function answerTo({ status, message }: Refusal): string {
  const error = STATUS_CODES[status];
  const body = JSON.stringify({ status, error, response: { message: [message] } });
  const head = [
    `HTTP/1.1 ${status} ${error}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
