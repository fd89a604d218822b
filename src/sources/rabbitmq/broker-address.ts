import type { Options } from 'amqplib';
import { withoutBrackets } from '../../config/url';
import { errorText } from '../../errors';

/** amqplib gives a connection up after two to three of these without a byte: within 30 s. */
const HEARTBEAT_SECONDS = 10;

/**
 * `RABBITMQ_URI` → connect options. User, password and virtual host are percent-decoded and `amqps://` means port
 * 5671, both of which the core API gets wrong.
 */
export function connectOptions(uri: string, frameMax: number): Options.Connect {
  const url = new URL(uri);
  const path = url.pathname.replace(/^\//, '');
  const heartbeat = Number(url.searchParams.get('heartbeat') ?? HEARTBEAT_SECONDS);
  return {
    protocol: url.protocol.replace(':', ''),
    hostname: withoutBrackets(url.hostname) || 'localhost',
    port: Number(url.port) || (url.protocol === 'amqps:' ? 5671 : 5672),
    username: decodeURIComponent(url.username) || 'guest',
    password: decodeURIComponent(url.password) || 'guest',
    // amqplib decodes it once.
    vhost: encodeURIComponent(decodeURIComponent(path) || '/'),
    frameMax,
    heartbeat: Number.isInteger(heartbeat) && heartbeat >= 0 ? heartbeat : HEARTBEAT_SECONDS,
  };
}

/**
 * What became of a connection, for people. amqplib gives no code to a broker that ends the handshake at its last step, only the
 * names of what it expected: those are looked at for nothing but a better text.
 */
export function brokerErrorText(error: unknown, uri: string): string {
  const text = errorText(error);
  if (!text.includes('ConnectionOpenOk')) return text;
  const vhost = decodeURIComponent(String(connectOptions(uri, 0).vhost));
  return `the broker does not open the virtual host ${JSON.stringify(vhost)}: there is none of this name, or the user may not use it; RABBITMQ_URI ends with it, percent-encoded (/prod is %2Fprod)`;
}

/** Address without user and password, for logs. */
export function displayAddress(uri: string): string {
  const { protocol, hostname, port, vhost } = connectOptions(uri, 0);
  return `${protocol}://${hostname}:${port}/${vhost}`;
}
