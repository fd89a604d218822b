import type { buildConnector, Pool } from 'undici';
import type { OutgoingConfig } from '../config/outgoing-config';
import type { AddressGuard } from './address-guard';
import { createHttpClient } from './http-client';
import { proxyFor } from './proxy-rules';
import { tunnelConnector } from './proxy-tunnel';

/** Connections to one origin as the configuration says: by way of a proxy, and guarded where a tenant chose it. */
export function outgoingClient(
  config: OutgoingConfig,
  origin: string,
  connections: number,
  guard?: AddressGuard,
): Pool {
  return outgoingClientWith(config, origin, { connections, ...(guard === undefined ? {} : { guard }) });
}

export interface OutgoingLimits {
  readonly connections: number;
  readonly guard?: AddressGuard;
  /** Bytes of one answer, where it may be larger than a webhook's. */
  readonly maxAnswer?: number;
}

export function outgoingClientWith(
  { connectTimeoutMs: timeoutMs, proxy: rules }: OutgoingConfig,
  origin: string,
  { guard, ...limits }: OutgoingLimits,
): Pool {
  const connector = connectorFor();
  return createHttpClient(origin, {
    ...limits,
    connectTimeoutMs: timeoutMs,
    ...(connector === undefined ? {} : { connector }),
  });

  function connectorFor(): buildConnector.connector | undefined {
    const proxy = proxyFor(origin, rules);
    if (proxy === undefined) return guard?.connector({ timeout: timeoutMs });
    const addressOf = guard === undefined ? {} : { addressOf: (name: string) => guard.addressOf(name) };
    return tunnelConnector(proxy, { timeoutMs, ...addressOf });
  }
}
