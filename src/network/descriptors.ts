import { readFileSync } from 'node:fs';
import type { ConnectionLimitsOptions } from './connection-limits';
import type { BudgetOptions } from './shared-budget';

/** Taken for the limit where the system does not show it: what macOS gives a process of Node.js. */
const UNKNOWN_LIMIT = 10_240;
/** Where the limit is endless: more connections than this are no question of descriptors. */
const ENDLESS = 1_048_576;

/** How many file descriptors this process may have open. Node.js raises its own limit as far as it may at start. */
export function descriptorLimit(
  read: () => string = () => readFileSync('/proc/self/limits', 'utf8'),
): number {
  try {
    const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(read()) ?? [];
    if (soft === undefined) return UNKNOWN_LIMIT;
    return soft === 'unlimited' ? ENDLESS : Number(soft);
  } catch {
    return UNKNOWN_LIMIT;
  }
}

/** Of the descriptors, for the gateway's port: files it sends and the worker's own connections need the rest. */
const GATEWAY_SHARE = 3 / 8;
const GATEWAY_MOST = 20_000;
/** More connections than this without a key are no ordinary crowd. */
const MOST_STRANGERS = 2000;
const MOST_PER_ADDRESS = 1000;
/** For files that are being sent: one connection may wait for sixteen. */
const FILES_SHARE = 1 / 32;
const MOST_FILES = 512;
/** Of those, for one address or instance. */
const FILES_PER_HOLDER = 1 / 2;
const METRICS_SHARE = 1 / 16;
const METRICS_MOST = 64;

export interface ConfiguredLimits {
  /** Undefined: by the descriptors of the process. */
  readonly maxConnections: number | undefined;
  readonly maxConnectionsPerAddress: number | undefined;
}

/** Connections of the gateway's port: half of them, and no more than 2,000, without a key. */
export function gatewayLimits(configured: ConfiguredLimits, descriptors: number): ConnectionLimitsOptions {
  const inAll = configured.maxConnections ?? Math.min(GATEWAY_MOST, Math.ceil(descriptors * GATEWAY_SHARE));
  const strangers = Math.min(MOST_STRANGERS, Math.ceil(inAll / 2));
  const perAddress =
    configured.maxConnectionsPerAddress ?? Math.min(MOST_PER_ADDRESS, Math.ceil(strangers / 2));
  return { inAll, strangers, perAddress };
}

/** Files that the gateway sends at once. */
export function fileLimits(descriptors: number): BudgetOptions {
  const inAll = Math.min(MOST_FILES, Math.ceil(descriptors * FILES_SHARE));
  return { inAll, perHolder: Math.ceil(inAll * FILES_PER_HOLDER) };
}

/** Connections of the metrics port, where there are no keys. */
export function metricsLimits(descriptors: number): ConnectionLimitsOptions {
  const inAll = Math.min(METRICS_MOST, Math.ceil(descriptors * METRICS_SHARE));
  return { inAll, strangers: inAll, perAddress: Math.ceil(inAll / 2) };
}
