import type { Options } from 'amqplib';
import { withoutBrackets } from '../../config/url';

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

/** Address without user and password, for logs. */
export function displayAddress(uri: string): string {
  const { protocol, hostname, port, vhost } = connectOptions(uri, 0);
  return `${protocol}://${hostname}:${port}/${vhost}`;
}

/** Who connects, and to which virtual host, as RabbitMQ's own commands name them. */
export function userOf(uri: string): { readonly user: string; readonly vhost: string } {
  const { username = '', vhost = '' } = connectOptions(uri, 0);
  return { user: username, vhost: decodeURIComponent(vhost) };
}
