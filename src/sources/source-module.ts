import type { Config } from '../config/config';
import type { ConfigPart } from '../config/part';
import type { EventFilter } from '../events/filter';
import type { Finding } from '../observability/finding';
import type { Logger } from '../observability/logging';
import type { Section, Settings } from '../settings/section';
import type { Source } from './source';

/** One kind of source: everything that the rest of the relay knows of it. `src/modules.ts` lists them. */
export interface SourceModule {
  /** Names it in metrics, logs and /readyz. */
  readonly kind: string;
  /** Its variables. */
  readonly config?: ConfigPart;
  /** What instances may set for themselves: whether what is theirs at this broker is consumed. */
  readonly section?: Section;
  /** Completes the sentence of a worker without any source: "…: there is no source to consume from". */
  readonly switchedOnBy: string;
  isEnabled(config: Config): boolean;
  /** Events of all instances that it brings, whatever is set for them; undefined where it brings only what instances set. */
  globalEvents?(config: Config): EventFilter | undefined;
  /** Messages that it holds at once at the most, while it is enabled. */
  mostHeld(config: Config): number;
  /** Makes the source for one worker. It connects to nothing before it is started. */
  open(context: SourceContext): OpenSource;
  /** What `doctor` says of it, enabled or not. Changes nothing. */
  inspect(context: SourceInspection): Promise<Finding[]>;
}

/** What a module may use of the worker that it is opened for. */
export interface SourceContext {
  readonly config: Config;
  /** What it may hold at once, in all. */
  readonly maxBytes: number;
  readonly log: Logger;
  /** Notes that outlive the process, under a name of the source's own. */
  notes(name: string): KeptNotes;
}

/** Short texts by name that all workers share. All reject while Redis is away. */
export interface KeptNotes {
  all(): Promise<ReadonlyMap<string, string>>;
  set(notes: ReadonlyMap<string, string>): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface SourceInspection {
  readonly config: Config;
  /** Those in force, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

/** A source of one worker. */
export interface OpenSource {
  readonly source: Source;
  /** What an instance has of its own at this broker, for the log, such as "the exchange". */
  readonly ownName: string;
  /** Consumes what belongs to an instance, or does so no longer, as its settings say; whether anything of it is consumed. */
  follow(instance: string, settings: Settings | undefined): boolean;
  /** Instances of which earlier processes consumed something: whether it is still wanted is to be looked at. */
  notedInstances?(): Promise<readonly string[]>;
  /** Set where it can hand each event over a second time. */
  readonly secondCopies?: SecondCopies;
  depths(): Promise<readonly SourceQueue[]>;
  /** Closes the source, and what was opened for it. */
  close(): Promise<void>;
}

/**
 * A message of ours between the events of a queue: it says that everything before it came before something was known
 * (worker/ordered-copies.ts).
 */
export interface OrderMarker {
  readonly kind: 'join' | 'leave' | 'sweep';
  /** Destinations, each with the time since which it is in the state that the marker is about, or at which the sweep began. */
  readonly destinations: readonly (readonly [id: string, since: string])[];
}

/** Which queue a marker came by, or goes to. */
export type MarkedQueue = 'main' | 'ordered';

/** The second copy of each event: in order, by a queue that one worker at a time gets messages of. */
export interface SecondCopies {
  /** From now on there are such copies. */
  want(): void;
  /** What is published now has one, whichever exchange it goes through. */
  readonly isBound: boolean;
  /** How often messages of the main queue went back to the broker from here: they come again, to anybody. */
  readonly returned: number;
  /** Messages of the main queue came that were not handed over yet, and may go back. */
  readonly isHoldingBack: boolean;
  /** Puts a marker behind everything that lies in a queue; it may get lost. */
  mark(where: MarkedQueue, marker: OrderMarker): void;
  /**
   * `onMarker` hears of markers; of the ordered queue nothing else comes until it resolves, and everything before it is
   * settled. `onNew`: the queue was made anew, and what was published before is not in it.
   */
  listen(onMarker: (by: MarkedQueue, marker: OrderMarker) => Promise<void>, onNew: () => void): void;
}

/** Depth of a queue; what its broker does not tell is not there. */
export interface SourceQueue {
  readonly queue: string;
  readonly messages: number;
  readonly consumers?: number;
  readonly inFlight?: number;
  readonly oldestSeconds?: number;
}
