import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { withoutBrackets } from '../../config/url';
import { errorCode, explainError } from '../../errors';
import type { AddressGuard } from '../../network/address-guard';
import { operatorLookup } from '../../network/names';
import { makeConnector } from '../../network/undici-parts';
import type { Finding } from '../../observability/finding';
import { counted } from '../../plural';

const CHECK = 'connection';
const CONNECT_MS = 10_000;
const DAY_MS = 86_400_000;
/** A certificate that ends sooner is worth a word. */
const SOON_DAYS = 14;

/** Connects to an address as a delivery would, and sends nothing: name, address, port, certificate. */
export async function inspectAddress(
  part: string,
  url: string,
  guard: AddressGuard | undefined,
): Promise<Finding> {
  const { origin, hostname } = new URL(url);
  const problem = guard?.checkUrl(url);
  if (problem !== undefined) return { part, check: CHECK, state: 'trouble', detail: problem };
  try {
    const socket = await open(new URL(url), guard);
    const days = socket instanceof TLSSocket ? daysOf(socket) : Number.POSITIVE_INFINITY;
    socket.destroy();
    return days < SOON_DAYS
      ? {
          part,
          check: CHECK,
          state: 'note',
          detail: `${origin}: its certificate ends in ${counted(days, 'day')}`,
        }
      : { part, check: CHECK, state: 'ok', detail: origin };
  } catch (error) {
    const remedy = isOwnContainer(error, hostname) ? `; ${CONTAINER_HINT}` : '';
    return { part, check: CHECK, state: 'trouble', detail: `${origin}: ${explainError(error)}${remedy}` };
  }
}

const CONTAINER_HINT = 'in a container localhost is the container itself: use the name of the service';

function isOwnContainer(error: unknown, hostname: string): boolean {
  return errorCode(error) === 'ECONNREFUSED' && /^(localhost|127\.|\[::1\])/.test(hostname);
}

function open({ protocol, hostname, port }: URL, guard: AddressGuard | undefined): Promise<Socket> {
  const connect =
    guard?.connector({ timeout: CONNECT_MS }) ??
    makeConnector({ timeout: CONNECT_MS, lookup: operatorLookup });
  const name = withoutBrackets(hostname);
  // TLS names no addresses.
  const isNamed = protocol === 'https:' && isIP(name) === 0;
  return new Promise((resolve, reject) => {
    connect(
      { protocol, hostname: name, host: name, port, ...(isNamed ? { servername: name } : {}) },
      (error, socket) => (error === null ? resolve(socket) : reject(error)),
    );
  });
}

function daysOf(socket: TLSSocket): number {
  return Math.floor((Date.parse(socket.getPeerCertificate().valid_to) - Date.now()) / DAY_MS);
}
