import { SECRET_KEYS } from '../events/body';
import type { Envelope } from '../events/envelope';
import type { Span } from '../events/json-scanner';
import { hasMoreValues } from '../events/json-skim';
import { type Facts, factsOf } from './facts';
import { MAX_EVENT_BYTES, MAX_EVENT_VALUES } from './filter-limits';

/** One thing that an event is about: an item of its list, or all of `data`. */
export class EventItem {
  private found: Facts | undefined;

  constructor(
    readonly value: unknown,
    private readonly envelope: Envelope,
  ) {}

  /** Found once for all destinations. */
  get facts(): Facts {
    this.found ??= factsOf(this.value, this.envelope);
    return this.found;
  }
}

/** One event as conditions see it. Each part is decoded when the first condition asks for it, and once for all of them. */
export class EventView {
  private readonly decoded = new Map<string, unknown>();
  private listed: readonly EventItem[] | undefined;
  private tooLarge: boolean | undefined;

  constructor(readonly envelope: Envelope) {}

  /** Whether it is not decoded, so that no condition can be looked at. */
  get isTooLarge(): boolean {
    this.tooLarge ??= isTooLarge(this.envelope);
    return this.tooLarge;
  }

  get data(): unknown {
    return this.root('data');
  }

  /** What conditions look at one by one: the items of a list, or all of `data`. An empty list has nothing to leave out. */
  get items(): readonly EventItem[] {
    this.listed ??= this.list();
    return this.listed;
  }

  /** A value of the root; undefined where there is none. */
  root(name: string): unknown {
    const { envelope } = this;
    if (name === 'event' || name === 'instance') return envelope[name];
    if (this.decoded.has(name)) return this.decoded.get(name);
    const span = envelope.members.get(name);
    const value = span === undefined ? undefined : this.decode(span);
    this.decoded.set(name, value);
    return value;
  }

  has(name: string): boolean {
    return name === 'event' || name === 'instance' || this.envelope.members.has(name);
  }

  isSecret(name: string): boolean {
    return SECRET_KEYS.has(name);
  }

  private list(): EventItem[] {
    const { data } = this;
    const values: readonly unknown[] = Array.isArray(data) && data.length > 0 ? data : [data];
    return values.map((value) => new EventItem(value, this.envelope));
  }

  private decode({ start, end }: Span): unknown {
    return JSON.parse(this.envelope.body.toString('utf8', start, end));
  }
}

/** Conditions may look at other members of the root than `data`, too. */
function isTooLarge({ body }: Envelope): boolean {
  return (
    body.length > MAX_EVENT_BYTES || hasMoreValues(body, { start: 0, end: body.length }, MAX_EVENT_VALUES)
  );
}
