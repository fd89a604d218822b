import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { refusalOf } from '../../../src/listen/stream-refusal';

const GATEWAY = 'http://localhost:8080';

function answer(statusCode: number, text: string): IncomingMessage {
  return Object.assign(Readable.from([Buffer.from(text)]), { statusCode }) as unknown as IncomingMessage;
}

const failure = (status: number, message: string): string =>
  JSON.stringify({ status, error: 'x', response: { message: [message] } });

describe('what answers in the place of a WebSocket', () => {
  test.each<[what: string, response: IncomingMessage, said: RegExp]>([
    [
      'a gateway without them',
      answer(200, JSON.stringify({ clientName: 'evolution-relay' })),
      /^the gateway takes no WebSockets: set WEBSOCKET_ENABLED=true/,
    ],
    [
      'the core API',
      answer(200, JSON.stringify({ status: 200, clientName: 'evolution' })),
      /^what answers at http:\/\/localhost:8080 \(HTTP 200\) is not the relay's gateway: .*--gateway/,
    ],
    ['a web page', answer(404, '<html>'), /\(HTTP 404\) is not the relay's gateway/],
    [
      'a gateway that refuses the key',
      answer(401, failure(401, 'Unauthorized')),
      /^the gateway answers 401: Unauthorized; give .*--token/,
    ],
    [
      'a gateway with an instance too many',
      answer(403, failure(403, 'not yours')),
      /^the gateway answers 403: not yours$/,
    ],
    [
      'a proxy whose gateway is away',
      answer(502, '<html>Bad Gateway'),
      /^the gateway answers 502: <html>Bad Gateway$/,
    ],
    ['a gateway that has enough', answer(429, 'slower'), /^the gateway answers 429: slower$/],
  ])('%s is told from the others, with what helps', async (_what, response, said) => {
    expect(await refusalOf(GATEWAY, response)).toMatch(said);
  });
});
