import { fromStore } from '../errors';
import type { DestinationList, KnownDestinations } from '../health/destination-list';
import type { Flow, FlowNumbers, FlowStore } from '../ledger/flow-store';
import type { Silence, SilenceStore } from '../silence/silence-store';
import { SharedReading } from './shared-reading';

/** Deliveries a second, or events. */
export interface Rates {
  readonly received: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly dead: number;
}

/** Everything that screens show of the whole relay at one moment. */
export interface Overview {
  readonly flow: Flow;
  /** Undefined while nothing is there to compare with. */
  readonly rates: Rates | undefined;
  readonly destinations: KnownDestinations;
  readonly silent: ReadonlyMap<string, Silence>;
  /** By how many more dead letters there are than an hour ago; undefined where that is not known. */
  readonly newlyDead: number | undefined;
  /** Queues that had fewer messages half a minute ago. */
  readonly growing: ReadonlySet<string>;
}

export interface OverviewsParts {
  readonly flows: FlowStore;
  readonly destinations: Pick<DestinationList, 'everything'>;
  readonly silence: Pick<SilenceStore, 'silentOnes'>;
}

const INTERVAL_MS = 2500;
const HISTORY_MS = 30_000;
/** Rates are those of about so long. */
const RATE_MS = 30_000;
const HOUR_MINUTES = 60;

/** One view of the relay for all who look at it, made anew every few seconds while somebody looks. */
export class Overviews {
  /** Of the last half minute, the oldest first. */
  private flows: Flow[] = [];
  private readonly overview = new SharedReading({ read: () => fromStore(this.read()), leastMs: INTERVAL_MS });
  private readonly lastHour: SharedReading<FlowNumbers[]>;

  constructor(private readonly parts: OverviewsParts) {
    this.lastHour = new SharedReading({ read: () => parts.flows.history(HOUR_MINUTES), leastMs: HISTORY_MS });
  }

  current(): Promise<Overview> {
    return this.overview.current();
  }

  private async read(): Promise<Overview> {
    const { flows, destinations, silence } = this.parts;
    const [flow, known, silent, hour] = await Promise.all([
      flows.read(),
      destinations.everything(),
      silence.silentOnes(),
      this.lastHour.current(),
    ]);
    this.flows = [...this.flows.filter(({ at }) => at > flow.at - RATE_MS && at <= flow.at), flow];
    const before = this.flows.length > 1 ? this.flows[0] : hour.at(-1);
    const [first] = hour;
    return {
      flow,
      rates: before === undefined ? undefined : ratesOf(before, flow),
      destinations: known,
      silent,
      newlyDead: first === undefined ? undefined : Math.max(0, flow.dead - first.dead),
      growing: growingOf(this.flows[0], flow),
    };
  }
}

/** Between two moments; where Redis lost its counters meanwhile, nothing is known. */
export function ratesOf(before: FlowNumbers, now: FlowNumbers): Rates | undefined {
  const seconds = (now.at - before.at) / 1000;
  if (seconds <= 0 || now.accepted < before.accepted) return undefined;
  const rate = (name: 'received' | 'accepted' | 'delivered' | 'dead'): number =>
    Math.max(0, (now[name] - before[name]) / seconds);
  return {
    received: rate('received'),
    accepted: rate('accepted'),
    delivered: rate('delivered'),
    dead: rate('dead'),
  };
}

function growingOf(before: Flow | undefined, now: Flow): ReadonlySet<string> {
  const earlier = new Map(before?.queues.map(({ queue, messages }) => [queue, messages]));
  const grown = now.queues.filter(({ queue, messages }) => messages > (earlier.get(queue) ?? messages));
  return new Set(grown.map(({ queue }) => queue));
}
