import { display } from './brokers';
import { INSTANCE, INSTANCES } from './events';
import { BEHAVIOURS, type Lane } from './lane';
import type { Live } from './live';
import { paint } from './paint';
import { SHORTENED } from './relay-process';
import type { Report } from './report';
import type { Wire } from './wire';

/** What is about to be seen. */
export function introduction(events: number, samples: number, { title }: Wire): string {
  return [
    `${paint('bold', 'Evolution Relay')}: ${events} events of ${INSTANCES.length} instances, made from ${samples} samples,`,
    `go through ${title} to three relays, each with a receiver of its own:`,
    '',
    ...BEHAVIOURS.map(({ name, story }) => `  ${name.padEnd(6)} ${story}`),
    '',
    'and to a fourth one with a gateway:',
    '',
    `  own webhook  ${INSTANCE} gets one of its own over HTTP, while events flow`,
    '  WebSocket    a client that is cut off, comes back and resumes',
    "  Pusher       batches of ten to Pusher's test server, on to pusher-js; a link where an event is too large",
    '',
    'Delays are shortened, by configuration alone:',
    ...Object.entries(SHORTENED).map(([name, value]) => `  ${name}=${value}`),
    '',
  ].join('\n');
}

/** What has been proved, or what went wrong. */
export function conclusion({ published, results }: Report, findings: readonly string[], ms: number): string {
  if (findings.length > 0) return paint('red', ['FAILED', ...findings].join('\n  '));
  const refused = results.reduce((sum, { receiver }) => sum + receiver.refused, 0);
  const duplicated = results.reduce((sum, { receiver }) => sum + receiver.duplicated, 0);
  const times = duplicated === 0 ? 'exactly once' : `at least once (${duplicated} duplicates)`;
  const text = [
    `Nothing lost: each of ${published} events reached all ${results.length} receivers ${times}, its`,
    `data byte for byte as published, through ${refused} answers of 503 and a receiver`,
    "that was down. Every relay's audit balances, and agrees with its receiver.",
    `That took ${(ms / 1_000).toFixed(1)} s.`,
  ];
  return paint('green', text.join('\n'));
}

/** Where everything is while it is kept running. */
export function addresses(
  wire: Wire,
  redisUri: string,
  run: string,
  lanes: readonly Lane[],
  { gateway, relay, key, pusher }: Live,
): string {
  return [
    '',
    'Everything keeps running until Ctrl-C:',
    `  ${wire.address}`,
    `  Redis     ${display(redisUri)}  keys {${run}-<receiver>}:*`,
    ...lanes.flatMap(({ receiver, relay }) => [
      `  ${receiver.name.padEnd(8)}  ${receiver.url}`,
      `            its relay: ${relay.address}/metrics  ${relay.address}/readyz`,
    ]),
    `  page      ${pusher.pageUrl}  shows events as Pusher brings them`,
    `  gateway   ${gateway}/docs  key ${key}`,
    `            its worker: ${relay.address}/metrics`,
    'More events:',
    `  ${wire.more}`,
  ].join('\n');
}
