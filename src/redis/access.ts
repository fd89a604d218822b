import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import { withoutBrackets } from '../config/url';

/** Where one server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What opens every server of a kind: user, password and database; the address is found by itself. */
export type Access = Pick<RedisOptions, 'username' | 'password' | 'db'>;

const DEFAULT_PORT = 6379;

/** User, password and database of REDIS_URI: the lists of Cluster nodes and Sentinels name hosts and ports only. */
export function accessOf(uri: string): Access {
  const { username, password, pathname } = new URL(uri);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    db: Number(pathname.slice(1)),
  };
}

export function isTls(uri: string): boolean {
  return new URL(uri).protocol === 'rediss:';
}

export function addressOf(uri: string): ServerAddress {
  const { hostname, port } = new URL(uri);
  return { host: withoutBrackets(hostname), port: port === '' ? DEFAULT_PORT : Number(port) };
}

/** `host:port`, with brackets around an IPv6 address. */
export function parseNode(node: string): ServerAddress {
  const colon = node.lastIndexOf(':');
  return { host: withoutBrackets(node.slice(0, colon)), port: Number(node.slice(colon + 1)) };
}

/** The name that the server is called by (SNI), which providers of many servers at one address go by. */
export function tlsOptionsFor({ host }: ServerAddress): ConnectionOptions {
  return isIP(host) ? {} : { servername: host };
}
