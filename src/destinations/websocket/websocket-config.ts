import { isIP } from 'node:net';
import { type ConfigPart, configPart } from '../../config/part';
import type { Reading } from '../../config/reading';
import type { Normalise } from '../../events/normalise';
import type { Limits } from '../../pipeline/destination-limits';
import { readContent } from '../content-variables';
import { readLimits } from '../delivery-variables';
import type { Wants } from '../destination-fields';
import { readNormalise } from '../normalise-variables';
import { WEBSOCKET_VARIABLES } from './websocket-variables';

export interface GlobalWebSocketConfig extends Wants {
  readonly limits: Limits;
  readonly normalise: Normalise;
}

export interface WebSocketConfig {
  readonly enabled: boolean;
  /** Events of all instances, for clients that ask for no single one; undefined: there is no such stream. */
  readonly global: GlobalWebSocketConfig | undefined;
  /** Addresses whose clients need no key; `*`: all. */
  readonly allowedHosts: readonly string[];
  readonly resume: ResumeConfig;
  /** Left unread by one client. */
  readonly bufferBytes: number;
  /** Held for all clients together, and for those of one instance. */
  readonly unreadBytes: number;
  readonly unreadBytesPerInstance: number;
  readonly pingMs: number;
  readonly maxClients: number;
  readonly maxClientsPerInstance: number;
}

/** What is kept of one stream for clients that come back. */
export interface ResumeConfig {
  readonly maxAgeMs: number;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

const SWITCHES = {
  prefix: 'WEBSOCKET_EVENTS_',
  choose: 'events that the WebSocket clients of all instances receive',
};

export const websocketConfig: ConfigPart<WebSocketConfig> = configPart({
  name: 'websocket',
  title: 'WebSockets',
  variables: WEBSOCKET_VARIABLES,
  switches: SWITCHES,
  read: (values, reading, core) => {
    const events = reading.switches(SWITCHES);
    const content = readContent('WEBSOCKET_GLOBAL', values, reading);
    const limits = readLimits('WEBSOCKET_GLOBAL', values, reading);
    const normalise = readNormalise(
      'WEBSOCKET_GLOBAL_NORMALISE',
      values.WEBSOCKET_GLOBAL_NORMALISE,
      reading,
      core,
    );
    checkHosts(values.WEBSOCKET_ALLOWED_HOSTS, reading);
    return {
      enabled: values.WEBSOCKET_ENABLED,
      global: values.WEBSOCKET_GLOBAL_EVENTS
        ? {
            events,
            content,
            normalise,
            limits,
          }
        : undefined,
      allowedHosts: values.WEBSOCKET_ALLOWED_HOSTS,
      resume: {
        maxAgeMs: values.WEBSOCKET_RESUME_SECONDS * 1000,
        maxEvents: values.WEBSOCKET_RESUME_EVENTS,
        maxBytes: values.WEBSOCKET_RESUME_BYTES,
      },
      bufferBytes: values.WEBSOCKET_BUFFER_BYTES,
      unreadBytes: values.WEBSOCKET_UNREAD_BYTES,
      unreadBytesPerInstance: values.WEBSOCKET_UNREAD_BYTES_PER_INSTANCE,
      pingMs: values.WEBSOCKET_PING_SECONDS * 1000,
      maxClients: values.WEBSOCKET_MAX_CLIENTS,
      maxClientsPerInstance: values.WEBSOCKET_MAX_CLIENTS_PER_INSTANCE,
    };
  },
});

/** They are compared with the addresses of clients: a name or a network would let nobody in, and nothing else says so. */
function checkHosts(hosts: readonly string[], reading: Reading): void {
  for (const host of hosts) {
    if (host === '*' || isIP(host) !== 0) continue;
    reading.warn(
      `WEBSOCKET_ALLOWED_HOSTS: ${JSON.stringify(host)} must be the address of a client, such as 127.0.0.1, or *: it lets nobody in`,
    );
  }
}
