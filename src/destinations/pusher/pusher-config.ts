import type { CoreConfig } from '../../config/config';
import { canDecode } from '../../config/formats';
import { type ConfigPart, configPart } from '../../config/part';
import type { Reading } from '../../config/reading';
import { parseUrl, withoutBrackets } from '../../config/url';
import type { ValuesOf } from '../../config/variable';
import type { Normalise } from '../../events/normalise';
import type { Limits } from '../../pipeline/destination-limits';
import { readContent } from '../content-variables';
import { readLimits } from '../delivery-variables';
import type { Wants } from '../destination-fields';
import { readNormalise } from '../normalise-variables';
import { isEncryptedChannel, prefixProblem } from './pusher-names';
import { PUSHER_VARIABLES } from './pusher-variables';

/** An app at Pusher, or at a server that speaks its protocol. */
export interface PusherAppConfig {
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
  readonly cluster: string;
  readonly useTLS: boolean;
  /** Instead of the cluster's. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Pusher signs an app's webhooks by the oldest of its tokens that is active. */
export interface PusherToken {
  readonly key: string;
  readonly secret: string;
}

export interface GlobalPusherConfig extends Wants {
  readonly app: PusherAppConfig;
  /** Those beside the app's own that may sign its webhooks. */
  readonly webhookTokens: readonly PusherToken[];
  readonly limits: Limits;
  readonly normalise: Normalise;
}

export interface PusherConfig {
  readonly enabled: boolean;
  readonly global: GlobalPusherConfig | undefined;
  readonly channelPrefix: string;
  /** Base64 of 32 bytes; empty: none. */
  readonly masterKey: string;
  readonly maxEventBytes: number;
  readonly oversize: 'drop' | 'reference';
  readonly skipVacant: boolean;
  readonly vacantCheckMs: number;
  readonly timeoutMs: number;
  readonly lingerMs: number;
  readonly authHookUrl: string | undefined;
}

type Values = ValuesOf<typeof PUSHER_VARIABLES>;

const SWITCHES = { prefix: 'PUSHER_EVENTS_', choose: 'events that the global Pusher app receives' };

export const pusherConfig: ConfigPart<PusherConfig> = configPart({
  name: 'pusher',
  title: 'Pusher',
  variables: PUSHER_VARIABLES,
  switches: SWITCHES,
  read: pusherOf,
});

function pusherOf(values: Values, reading: Reading, core: CoreConfig): PusherConfig {
  const { gateway } = core;
  const enabled = values.PUSHER_ENABLED ?? true;
  const prefix = values.PUSHER_CHANNEL_PREFIX;
  const masterKey = values.PUSHER_ENCRYPTION_MASTER_KEY_BASE64;
  const wrongPrefix = prefixProblem(prefix);
  if (wrongPrefix !== undefined) reading.problem(`PUSHER_CHANNEL_PREFIX: ${wrongPrefix}`);
  if (masterKey !== '' && Buffer.from(masterKey, 'base64').length !== 32) {
    reading.problem(
      'PUSHER_ENCRYPTION_MASTER_KEY_BASE64: must be 32 bytes in base64, such as the output of: openssl rand -base64 32',
    );
  }
  if (isEncryptedChannel(prefix) && masterKey === '') {
    reading.problem(
      'PUSHER_ENCRYPTION_MASTER_KEY_BASE64: must be set while PUSHER_CHANNEL_PREFIX is private-encrypted-',
    );
  }
  if (enabled && values.PUSHER_OVERSIZE === 'reference' && gateway.publicUrl === undefined) {
    reading.problem(
      'GATEWAY_URL: must be set while PUSHER_OVERSIZE is reference: the address at which browsers reach the gateway',
    );
  }
  return {
    enabled,
    global: enabled ? globalOf(values, reading, core) : undefined,
    channelPrefix: prefix,
    masterKey,
    maxEventBytes: values.PUSHER_MAX_EVENT_BYTES,
    oversize: values.PUSHER_OVERSIZE,
    skipVacant: values.PUSHER_SKIP_VACANT_CHANNELS,
    vacantCheckMs: values.PUSHER_VACANT_CHECK_SECONDS * 1000,
    timeoutMs: values.PUSHER_REQUEST_TIMEOUT_MS,
    lingerMs: values.PUSHER_BATCH_LINGER_MS,
    authHookUrl: values.PUSHER_AUTH_HOOK_URL,
  };
}

function globalOf(values: Values, reading: Reading, core: CoreConfig): PusherConfig['global'] {
  const events = reading.switches(SWITCHES);
  const content = readContent('PUSHER_GLOBAL', values, reading);
  const limits = readLimits('PUSHER_GLOBAL', values, reading);
  const normalise = readNormalise('PUSHER_GLOBAL_NORMALISE', values.PUSHER_GLOBAL_NORMALISE, reading, core);
  const url = values.PUSHER_URL === undefined ? undefined : readPusherUrl(values.PUSHER_URL, reading);
  const appId = values.PUSHER_GLOBAL_APP_ID || url?.appId || '';
  if (!(values.PUSHER_GLOBAL_ENABLED ?? appId !== '')) return undefined;
  // Credentials of one app belong together: those of the URL are not mixed with others.
  const from = values.PUSHER_GLOBAL_APP_ID === '' ? url : undefined;
  const app: PusherAppConfig = {
    appId,
    key: values.PUSHER_GLOBAL_KEY || from?.key || '',
    secret: values.PUSHER_GLOBAL_SECRET || from?.secret || '',
    cluster: values.PUSHER_GLOBAL_CLUSTER,
    useTLS: values.PUSHER_GLOBAL_USE_TLS ?? from?.useTLS ?? true,
    host: values.PUSHER_GLOBAL_HOST || from?.host,
    port: values.PUSHER_GLOBAL_PORT ?? from?.port,
  };
  checkApp(app, reading);
  const webhookTokens = values.PUSHER_GLOBAL_WEBHOOK_TOKENS.flatMap((text) => readToken(text, reading));
  if (events !== 'all' && events.size === 0) {
    reading.warn('every PUSHER_EVENTS_… says false: the global Pusher app receives nothing');
  }
  return {
    app,
    webhookTokens,
    events,
    content,
    normalise,
    limits,
  };
}

function checkApp(app: PusherAppConfig, reading: Reading): void {
  for (const [variable, value] of [
    ['PUSHER_GLOBAL_APP_ID', app.appId],
    ['PUSHER_GLOBAL_KEY', app.key],
    ['PUSHER_GLOBAL_SECRET', app.secret],
  ]) {
    if (value === '') {
      reading.problem(`${variable}: must be set for the global Pusher app; its dashboard shows it`);
    }
  }
  if (app.cluster === '' && app.host === undefined) {
    reading.problem('PUSHER_GLOBAL_CLUSTER: must be set, such as us2, unless PUSHER_GLOBAL_HOST is');
  }
  if (app.cluster !== '' && !isClusterName(app.cluster)) {
    reading.problem('PUSHER_GLOBAL_CLUSTER: must be the short name of a cluster, such as us2');
  }
  if (app.host !== undefined && !isHostName(app.host)) {
    reading.problem(
      'PUSHER_GLOBAL_HOST: must be the name or address of a host, without scheme, port and path',
    );
  }
  if (!/^[\w-]+$/.test(app.appId) && app.appId !== '') {
    reading.problem('PUSHER_GLOBAL_APP_ID: must be of letters, digits and hyphens');
  }
}

function readToken(text: string, reading: Reading): PusherToken[] {
  const [, key, secret] = /^([^:]+):(.+)$/.exec(text) ?? [];
  if (key !== undefined && secret !== undefined) return [{ key, secret }];
  reading.problem('PUSHER_GLOBAL_WEBHOOK_TOKENS: must be a comma-separated list of KEY:SECRET');
  return [];
}

/** It becomes part of a host's name. */
export function isClusterName(text: string): boolean {
  return /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/i.test(text);
}

/** A name or an address as URLs take it, and nothing around it. */
export function isHostName(text: string): boolean {
  const host = text.includes(':') ? `[${text}]` : text;
  return /^[\w.:-]+$/.test(text) && parseUrl(`http://${host}/`) !== undefined;
}

/** `SCHEME://KEY:SECRET@HOST:PORT/apps/APP_ID`, as Pusher's add-ons set it. */
function readPusherUrl(text: string, reading: Reading): Omit<PusherAppConfig, 'cluster'> | undefined {
  const url = parseUrl(text);
  const [, appId] = /^\/apps\/([\w-]+)\/?$/.exec(url?.pathname ?? '') ?? [];
  const isWhole = url !== undefined && appId !== undefined && url.username !== '' && url.password !== '';
  if (!isWhole || !canDecode(url.username) || !canDecode(url.password)) {
    reading.problem('PUSHER_URL: must be of the form https://KEY:SECRET@api-CLUSTER.pusher.com/apps/APP_ID');
    return undefined;
  }
  return {
    appId,
    key: decodeURIComponent(url.username),
    secret: decodeURIComponent(url.password),
    host: withoutBrackets(url.hostname),
    port: url.port === '' ? undefined : Number(url.port),
    useTLS: url.protocol === 'https:',
  };
}
