import type { LiveResult } from './live';
import { paint } from './paint';
import type { Receiver } from './receiver';
import type { RelayMetrics } from './relay-metrics';
import type { AuditLine } from './relay-process';

/** What one relay and its receiver came to. */
export interface Result {
  readonly receiver: Receiver;
  readonly metrics: RelayMetrics;
  readonly audit: AuditLine;
  /** Undefined while the relay is kept running. */
  readonly exitCode: number | null | undefined;
}

export interface Report {
  /** Events that the broker has confirmed. */
  readonly published: number;
  readonly results: readonly Result[];
  readonly live: LiveResult;
}

/** Answers that a receiver gave with 200. */
function answered({ receiver }: Result): number {
  return receiver.delivered + receiver.duplicated;
}

/** Neither received, nor kept by the relay for a retry or for a person. */
function lost(published: number, { receiver, audit }: Result): number {
  return published - receiver.delivered - audit.parked - audit.dead;
}

/** An answer that was lost on its way is one delivery for the relay and two for the receiver. */
function disagrees(result: Result): boolean {
  const { delivered } = result.audit;
  return delivered < result.receiver.delivered || delivered > answered(result);
}

type Row = readonly [name: string, cell: (result: Result) => number | string, note?: string];

/** One column for each receiver: what it counted, what its relay's metrics say, and the audit. */
export function reportTable({ published, results }: Report): string {
  const rows: readonly Row[] = [
    ['', ({ receiver }) => receiver.name],
    ['published', () => published, 'confirmed by the broker'],
    ['delivered', ({ receiver }) => receiver.delivered, 'events that the receiver counted'],
    ['retried', ({ metrics }) => metrics.retried, 'attempts that had to be made again'],
    ['parked', ({ metrics }) => metrics.parked, 'deliveries that waited in Redis'],
    ['dead', ({ audit }) => audit.dead, 'deliveries given up on'],
    ['lost', (result) => lost(published, result)],
    ['duplicated', ({ receiver }) => receiver.duplicated, 'by webhook-id'],
    ['p50', ({ receiver }) => duration(percentile(receiver.agesMs, 0.5)), 'from publish to delivered'],
    ['p99', ({ receiver }) => duration(percentile(receiver.agesMs, 0.99))],
    ['', () => ''],
    ['audit: accepted', ({ audit }) => audit.accepted, 'what each relay counted in Redis'],
    ['  = delivered', ({ audit }) => audit.delivered],
    ['  + parked', ({ audit }) => audit.parked],
    ['  + dead', ({ audit }) => audit.dead],
    ['  + discarded', ({ audit }) => audit.discarded],
    ['  difference', ({ audit }) => audit.difference],
    ['receiver counted', answered, 'each receiver, for itself'],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, cell, note = '']) => {
      const cells = results.map((result) => String(cell(result)).padStart(9)).join('');
      const line = `${name.padEnd(width)}${cells}`;
      return note === '' ? line.trimEnd() : `${line}   ${paint('dim', note)}`;
    })
    .join('\n');
}

/** Everything that is not as it must be; empty: the demo has proved its point. */
export function findings({ published, results, live }: Report): string[] {
  return [...results.flatMap((result) => findingsOf(published, result)), ...liveFindings(published, live)];
}

function findingsOf(published: number, result: Result): string[] {
  const { receiver, audit, exitCode } = result;
  const checks: readonly (readonly [isWrong: boolean, what: string])[] = [
    [lost(published, result) !== 0, `${lost(published, result)} lost`],
    [audit.parked !== 0, `${audit.parked} still parked`],
    [audit.dead !== 0, `${audit.dead} dead`],
    [receiver.altered !== 0, `${receiver.altered} not as published, the first: ${receiver.alteration}`],
    [audit.difference !== 0, `the audit is ${audit.difference} off`],
    [disagrees(result), 'the audit and the receiver disagree on what was delivered'],
    [exitCode !== undefined && exitCode !== 0, `the relay ended with exit code ${exitCode}`],
  ];
  return checks.filter(([isWrong]) => isWrong).map(([, what]) => `${receiver.name}: ${what}`);
}

function liveFindings(
  published: number,
  { listener, pusher, ownLost, ownAltered, difference }: LiveResult,
): string[] {
  const checks: readonly (readonly [count: number, what: string])[] = [
    [ownLost, 'lost for the webhook of an instance'],
    [ownAltered, 'not as published, for the webhook of an instance'],
    [published - listener.received, 'missed by the WebSocket client'],
    [listener.repeated, 'repeated for the WebSocket client'],
    [listener.disordered, 'out of order for the WebSocket client'],
    [listener.altered, 'not as published, for the WebSocket client'],
    [published - pusher.received, 'missed by the Pusher client'],
    [pusher.repeated, 'repeated for the Pusher client'],
    [difference, 'off in the audit'],
  ];
  return checks.filter(([count]) => count !== 0).map(([count, what]) => `live: ${count} ${what}`);
}

/** What happened while events flowed, a line each. */
export function liveLines({ published, live }: Report): string {
  const { setAfter, own, listener, pusher } = live;
  return [
    `own webhook   set over HTTP after ${setAfter} events, with a header of its own: ${own} delivered, ${live.ownLost} lost`,
    `Pusher        ${pusher.received} of ${published} to a pusher-js client on private channels, ${pusher.links} of them as links; ${pusher.requestsPerEvent.toFixed(2)} requests per event`,
    `WebSocket     cut off after ${listener.cutAfter} events, back with the last id it saw: ${listener.received} of ${published}, ${listener.repeated} repeated`,
  ].join('\n');
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

function duration(ms: number): string {
  if (Number.isNaN(ms)) return '-';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}
