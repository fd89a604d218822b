import { causeWords } from '../pipeline/failure-cause';
import { counted } from '../plural';
import type { SilenceReason } from '../silence/verdict';
import { ageText } from '../time/age-text';
import {
  type AlertMessage,
  type Condition,
  type Ended,
  MOST_NAMED,
  type OverCause,
  type StandingCause,
} from './alert-causes';
import { named } from './due-alerts';

/** A part of a line: the relay's own words, or a text from outside, which no receiver may take for mark-up. */
export type Piece = string | { readonly foreign: string };
export type Line = readonly Piece[];

/** A message for people: what happened, then a line for each that it names. */
export interface AlertText {
  readonly title: string;
  readonly lines: readonly Line[];
}

export const TEST_TEXT: AlertText = {
  title: 'This is a test: alerts of this relay arrive here',
  lines: [],
};

export function textOf(message: AlertMessage, now: number): AlertText {
  switch (message.kind) {
    case 'began':
      return digest(begunOf(message), linesOf(message.items, now), message.total);
    case 'goes-on': {
      const title = `Still so: ${begunOf(message)}`;
      return digest(title, linesOf(message.items, now), message.total);
    }
    case 'over':
      return digest(ENDED[message.cause](message.total), endedLines(message.items, now), message.total);
    case 'counted': {
      const { count, reasons } = message.letters;
      const title = `${counted(count, 'delivery was', 'deliveries were')} given up on and became dead letters`;
      return { title, lines: reasonLines(reasons) };
    }
  }
}

function digest(title: string, lines: readonly Line[], total: number): AlertText {
  const more = total - lines.length;
  return { title, lines: more > 0 ? [...lines, [`and ${more} more`]] : lines };
}

function begunOf({ cause, items, total }: Extract<AlertMessage, { kind: 'began' | 'goes-on' }>): string {
  return items.every(isRejecting)
    ? `${counted(total, 'destination rejects', 'destinations reject')} every event`
    : BEGAN[cause](total);
}

function isRejecting(item: Condition): boolean {
  return item.cause === 'destination-failing' && item.state === 'rejecting';
}

const BEGAN: Readonly<Record<StandingCause, (count: number) => string>> = {
  'destination-failing': (count) => `${counted(count, 'destination fails', 'destinations fail')}`,
  'destination-suspended': (count) => `${counted(count, 'destination is', 'destinations are')} suspended`,
  backlog: () => 'Parked deliveries wait for too long',
  'instance-silent': (count) => `${counted(count, 'instance is', 'instances are')} silent`,
  'redis-at-risk': () => 'Redis is at risk',
  'audit-difference': (count) =>
    `The audit does not balance for ${counted(count, 'destination', 'destinations')}`,
};

const ENDED: Readonly<Record<OverCause, (count: number) => string>> = {
  'destination-recovered': (count) => `${counted(count, 'destination fails', 'destinations fail')} no longer`,
  'backlog-over': () => 'No parked delivery waits for too long any more',
  'instance-back': (count) => `${counted(count, 'instance is', 'instances are')} no longer silent`,
  'redis-well': () => 'Redis is no longer at risk',
  'audit-even': (count) => `The audit balances again for ${counted(count, 'destination', 'destinations')}`,
};

function linesOf(items: readonly Condition[], now: number): Line[] {
  return named(items).map((item) => lineOf(item, now));
}

function lineOf(item: Condition, now: number): Line {
  const { subject, since } = item;
  const subjectPiece = { foreign: subject };
  const ago = `for ${ageText(now - since)}`;
  switch (item.cause) {
    case 'destination-failing':
      if (!isRejecting(item)) return [subjectPiece, ` ${ago}`, ...faultOf(item)];
      return [subjectPiece, ` has rejected every event ${ago}`, ...faultOf(item), REJECTED];
    case 'destination-suspended':
      return [subjectPiece, ` ${SUSPENDED_BY[item.by ?? 'time']}`, ...faultOf(item)];
    case 'backlog':
      return [`The oldest has waited ${ago}. See: destinations ls`];
    case 'instance-silent':
      return [subjectPiece, ` ${ago}: ${SILENT[item.why]}`];
    case 'redis-at-risk':
      return [`${subject}: `, { foreign: item.detail }];
    case 'audit-difference':
      return [subjectPiece, ` differs by ${item.difference}. See: audit`];
  }
}

const REJECTED = '. Its events become dead letters: mend the address or what answers there, then replay them';

const SUSPENDED_BY = {
  gone: 'says that it is gone (410)',
  time: 'had no success for too long',
  person: 'was suspended by a person',
} as const;

const SILENT: Readonly<Record<SilenceReason, string>> = {
  closed: 'it is disconnected: connect it again in the core API',
  'only-others': 'it sends presence and the like, but no messages: restart it in the core API',
  'fell-silent': 'it was lively and sends no messages any more: restart it in the core API',
  'long-silent': 'it has sent no messages for two usual days',
};

function faultOf({ code, status = 0, address }: Extract<Condition, { code?: string }>): Piece[] {
  const cause = causeWords(code);
  return [
    ...(code === undefined
      ? []
      : [': ', { foreign: status > 0 && !code.endsWith(String(status)) ? `${code} ${status}` : code }]),
    ...(address === undefined || address === '' ? [] : [' at ', { foreign: address }]),
    ...(cause === '' ? [] : [` (${cause})`]),
  ];
}

function endedLines(items: readonly Ended[], now: number): Line[] {
  return named(items).map(({ subject, since }) => [{ foreign: subject }, ` after ${ageText(now - since)}`]);
}

function reasonLines(reasons: Readonly<Record<string, number>>): Line[] {
  const most = Object.entries(reasons).sort(([, a], [, b]) => b - a);
  return most
    .slice(0, MOST_NAMED)
    .map(([reason, count]) => [{ foreign: reason === '' ? 'unknown' : reason }, ` × ${count}`]);
}
