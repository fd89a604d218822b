import type { IncomingMessage } from 'node:http';
import { CLIENT_NAME } from '../version';

const KEY_HINT =
  "give the instance's own token with --token, or leave it out where AUTHENTICATION_API_KEY is the gateway's";
/** It answers as to any request: nothing takes WebSockets there. */
const NO_WEBSOCKETS =
  'the gateway takes no WebSockets: set WEBSOCKET_ENABLED=true for it, and let a proxy before it pass upgrades on';
const NOT_THE_GATEWAY =
  "is not the relay's gateway: give its address with --gateway, such as http://localhost:8090, which is not that of the core API";
/** What a server answers to a path or a method that it does not know. */
const ROUTELESS: ReadonlySet<number> = new Set([404, 405, 426]);
const MAX_ANSWER = 2000;

/** What was answered in the place of a WebSocket, and what helps. */
export async function refusalOf(gateway: string, response: IncomingMessage): Promise<string> {
  const status = response.statusCode ?? 0;
  const text = await textOf(response);
  const body = jsonOf(text);
  if (isSuccess(status) && fieldOf(body, 'clientName') === CLIENT_NAME) return NO_WEBSOCKETS;
  const message = fieldOf(fieldOf(body, 'response'), 'message');
  if (isElsewhere(status, message)) return `what answers at ${gateway} (HTTP ${status}) ${NOT_THE_GATEWAY}`;
  const hint = status === 401 ? `; ${KEY_HINT}` : '';
  return `the gateway answers ${status}: ${[message ?? text].flat().join('; ').slice(0, MAX_ANSWER)}${hint}`;
}

/** A gateway takes the WebSocket or says why not, in the form of its errors; a proxy before it may well refuse or be overloaded. */
function isElsewhere(status: number, message: unknown): boolean {
  return status < 400 || (message === undefined && ROUTELESS.has(status));
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** As far as it came. */
async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += String(chunk);
      if (text.length > MAX_ANSWER) break;
    }
  } catch {
    return text;
  }
  return text;
}

/** Undefined where it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !(name in value)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
