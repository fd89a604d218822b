import type { DestinationHealth } from '../health/destination-list';
import type { Flow } from '../ledger/flow-store';
import type { Silence } from '../silence/silence-store';

/** What a sentence is made of. */
export interface Situation {
  /** By the clock of Redis. */
  readonly now: number;
  /** Undefined for an instance's own view, which shows nothing of the whole relay. */
  readonly flow: Pick<Flow, 'difference' | 'reportedMsAgo' | 'queues'> | undefined;
  /** Worst first. */
  readonly destinations: readonly DestinationHealth[];
  readonly silent: ReadonlyMap<string, Silence>;
  /** Dead letters that came within the last hour; undefined where that is not known. */
  readonly newlyDead: number | undefined;
}

/** Of a destination that does not take what it is sent. */
type UnwellState = Exclude<DestinationHealth['state'], 'waiting' | 'well'>;

/** The worst of what is, and what a person needs to know of it first. */
export type Sentence =
  | { readonly kind: 'no-worker'; readonly msAgo: number | undefined }
  | { readonly kind: 'difference'; readonly count: number }
  | {
      readonly kind: UnwellState;
      readonly destination: DestinationHealth;
      readonly others: number;
    }
  | { readonly kind: 'unread'; readonly queue: string; readonly messages: number }
  | { readonly kind: 'silent'; readonly instance: string; readonly since: number; readonly others: number }
  | { readonly kind: 'dead'; readonly count: number }
  | { readonly kind: 'waiting'; readonly count: number; readonly destinations: number }
  | { readonly kind: 'well' };

/** How bad it is, which decides its colour. */
export type Severity = 'bad' | 'odd' | 'well';

const SEVERITIES: Readonly<Record<Sentence['kind'], Severity>> = {
  'no-worker': 'bad',
  difference: 'bad',
  suspended: 'bad',
  failing: 'bad',
  rejecting: 'bad',
  unread: 'bad',
  silent: 'odd',
  dead: 'odd',
  waiting: 'odd',
  well: 'well',
};

/** Workers report every five seconds. */
const REPORT_LATE_MS = 45_000;

/** The worst thing, in this order: nothing moves, something is lost, somebody refuses, somebody is silent, something waits. */
export function sentenceOf({ flow, destinations, silent, newlyDead }: Situation): Sentence {
  if (flow !== undefined && (flow.reportedMsAgo === undefined || flow.reportedMsAgo > REPORT_LATE_MS))
    return { kind: 'no-worker', msAgo: flow.reportedMsAgo };
  if (flow !== undefined && flow.difference !== 0) return { kind: 'difference', count: flow.difference };
  const refusing = refusingOf(destinations);
  if (refusing !== undefined) return refusing;
  const unread = flow?.queues.find(({ messages, consumers }) => messages > 0 && consumers === 0);
  if (unread !== undefined) return { kind: 'unread', queue: unread.queue, messages: unread.messages };
  const [first] = [...silent].sort(([, a], [, b]) => a.since - b.since);
  if (first !== undefined)
    return { kind: 'silent', instance: first[0], since: first[1].since, others: silent.size - 1 };
  if (newlyDead !== undefined && newlyDead > 0) return { kind: 'dead', count: newlyDead };
  return waitingOf(destinations);
}

export function severityOf({ kind }: Sentence): Severity {
  return SEVERITIES[kind];
}

/** What a person suspended is on purpose: it is named where nothing fails by itself. */
function refusingOf(destinations: readonly DestinationHealth[]): Sentence | undefined {
  const unwell = destinations.flatMap((destination) => {
    const kind = unwellStateOf(destination);
    return kind === undefined ? [] : [{ kind, destination }];
  });
  const [worst] = unwell.sort(
    ({ destination: a }, { destination: b }) =>
      Number(a.by === 'person') - Number(b.by === 'person') || b.waiting - a.waiting,
  );
  return worst === undefined ? undefined : { ...worst, others: unwell.length - 1 };
}

function unwellStateOf({ state }: DestinationHealth): UnwellState | undefined {
  return state === 'waiting' || state === 'well' ? undefined : state;
}

function waitingOf(destinations: readonly DestinationHealth[]): Sentence {
  const waiting = destinations.filter((each) => each.waiting > 0);
  if (waiting.length === 0) return { kind: 'well' };
  const count = waiting.reduce((sum, each) => sum + each.waiting, 0);
  return { kind: 'waiting', count, destinations: waiting.length };
}
