import {
  httpUrl,
  integer,
  isSigningKey,
  isVerifiableKey,
  list,
  oneOf,
  optional,
  UNVERIFIABLE_KEY,
} from './formats';
import type { Reading } from './reading';
import { parseUrl } from './url';
import { secret, type ValuesOf, type Variables, variable } from './variable';

export const ALERT_VARIABLES = {
  ALERT_WEBHOOK_URL: secret(
    optional(httpUrl),
    undefined,
    "Address that receives the operator's alerts: any webhook, or one of Slack, Discord or Telegram.",
  ),
  ALERT_WEBHOOK_SECRET: secret(
    list,
    [],
    'Secret that signs alerts (Standard Webhooks). Two, the new one first, while rotating.',
  ),
  ALERT_FORMAT: variable(
    oneOf('auto', 'json', 'slack', 'discord', 'telegram'),
    'auto',
    'Form of the body of alerts. auto: that of Slack, Discord or Telegram by the host of the address, otherwise json.',
  ),
  ALERT_INTERVAL_SECONDS: variable(
    integer(60, 86_400),
    900,
    'Seconds between two alerts of the same cause at the least. What comes meanwhile is reported together.',
  ),
  ALERT_BACKLOG_SECONDS: variable(
    integer(0, 31_536_000),
    900,
    'Age of the oldest parked delivery above which an alert is sent. 0: never.',
  ),
} as const satisfies Variables;

/** Forms of the body of an alert. */
export type AlertFormat = 'json' | 'slack' | 'discord' | 'telegram';

export interface AlertConfig {
  /** Undefined: no alerts. */
  readonly url: string | undefined;
  readonly secrets: readonly string[];
  readonly format: AlertFormat;
  readonly intervalMs: number;
  /** 0: never. */
  readonly backlogMs: number;
}

type Values = ValuesOf<typeof ALERT_VARIABLES>;

export function alertsOf(values: Values, reading: Reading): AlertConfig {
  const url = values.ALERT_WEBHOOK_URL;
  const format = values.ALERT_FORMAT === 'auto' ? formatOf(url) : values.ALERT_FORMAT;
  checkSecrets(values, reading);
  if (url !== undefined && format === 'telegram') checkTelegram(url, reading);
  return {
    url,
    secrets: values.ALERT_WEBHOOK_SECRET,
    format,
    intervalMs: values.ALERT_INTERVAL_SECONDS * 1000,
    backlogMs: values.ALERT_BACKLOG_SECONDS * 1000,
  };
}

function formatOf(address: string | undefined): AlertFormat {
  const url = address === undefined ? undefined : parseUrl(address);
  if (url === undefined) return 'json';
  const { hostname, pathname } = url;
  if (hostname === 'api.telegram.org') return 'telegram';
  if (hostname === 'hooks.slack.com' || hostname === 'hooks.slack-gov.com') return 'slack';
  const isDiscord = /^(?:[a-z]+\.)?discord(?:app)?\.com$/.test(hostname);
  // Discord takes Slack's form where the address says so.
  if (isDiscord) return pathname.replace(/\/$/, '').endsWith('/slack') ? 'slack' : 'discord';
  return 'json';
}

function checkSecrets({ ALERT_WEBHOOK_SECRET: secrets }: Values, reading: Reading): void {
  for (const each of secrets) {
    if (!isSigningKey(each))
      reading.problem(
        'ALERT_WEBHOOK_SECRET: must be base64 of at least 16 bytes, with or without whsec_ before it',
      );
    else if (!isVerifiableKey(each)) reading.warn(`ALERT_WEBHOOK_SECRET: ${UNVERIFIABLE_KEY}`);
  }
}

function checkTelegram(address: string, reading: Reading): void {
  const url = parseUrl(address);
  const isWhole =
    url?.pathname.endsWith('/sendMessage') === true && (url.searchParams.get('chat_id') ?? '') !== '';
  if (!isWhole)
    reading.problem(
      'ALERT_WEBHOOK_URL: must be of the form https://api.telegram.org/bot<token>/sendMessage?chat_id=<chat> for Telegram',
    );
}
