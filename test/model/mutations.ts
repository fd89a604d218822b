import { HealthBoard } from '../../src/health/health-board';
import { Circuit } from '../../src/pipeline/circuit';
import { DirectAttempts } from '../../src/pipeline/direct-attempts';
import { EventsInFlight } from '../../src/pipeline/events-in-flight';
import { InFlight } from '../../src/pipeline/in-flight';
import { KeptRoutings } from '../../src/pipeline/kept-routings';
import { Lanes } from '../../src/pipeline/lanes';
import { Places } from '../../src/pipeline/places';
import { BullMqParking } from '../../src/retry/bullmq-parking';
import { Unreadables } from '../../src/settings/unreadables';

/** A mend taken out of the code: each must break a promise in some run. */
export interface Mutation {
  readonly name: string;
  /** Something of what the broken promise says. */
  readonly breaks: RegExp;
  /** Of runs that find it soon, where those of most others do not. */
  readonly seed?: number;
  /** Takes it out; returns what puts it back. */
  readonly takeOut: () => () => void;
}

/** Replaces a property of a class for all its objects, private ones too. */
function replace(prototype: object, name: string, value: PropertyDescriptor): () => void {
  const original = Object.getOwnPropertyDescriptor(prototype, name);
  if (original === undefined) throw new Error(`there is no ${name} to take out`);
  Object.defineProperty(prototype, name, { configurable: true, ...value });
  return () => {
    Object.defineProperty(prototype, name, original);
  };
}

const returns = (prototype: object, name: string, value: unknown): (() => void) =>
  replace(prototype, name, { writable: true, value: () => value });

/** Whatever a circuit reads of a clock is the wall clock. */
function circuitsByTheWallClock(): () => void {
  const undo = ['closedIn', 'granted', 'after'].map((name) => {
    const method: (...args: unknown[]) => unknown = Reflect.get(Circuit.prototype, name);
    return replace(Circuit.prototype, name, {
      writable: true,
      value(this: Circuit, ...args: unknown[]) {
        const { now } = performance;
        performance.now = Date.now;
        try {
          return method.apply(this, args);
        } finally {
          performance.now = now;
        }
      },
    });
  });
  return () => {
    for (const each of undo) each();
  };
}

/** What is known of a lane stays known, whatever becomes of its next delivery. */
function lanesKnownForEver(): () => void {
  const add: (lane: string, ...others: unknown[]) => void = Reflect.get(Lanes.prototype, 'add');
  return replace(Lanes.prototype, 'add', {
    writable: true,
    value(this: Lanes, lane: string, ...others: unknown[]) {
      const wasKnown = Reflect.get(this, 'known')?.has(lane) === true;
      add.call(this, lane, ...others);
      if (wasKnown) Reflect.get(this, 'known').set(lane, true);
    },
  });
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'a message that a lost channel brings again is new (findings 3.5, 3.10)',
    breaks: /was delivered 2 times|messages held/,
    takeOut: () => returns(EventsInFlight.prototype, 'lost', undefined),
  },
  {
    name: 'an event whose acknowledgement was lost is new (finding 3.10)',
    breaks: /was delivered 2 times/,
    takeOut: () => returns(EventsInFlight.prototype, 'wasAcknowledged', false),
  },
  {
    name: 'circuits go by the wall clock (finding 3.12)',
    breaks: /not at rest/,
    takeOut: circuitsByTheWallClock,
  },
  {
    name: 'settings that cannot be read are read for ever (finding 2.1)',
    breaks: /others' faults/,
    takeOut: () =>
      replace(Unreadables.prototype, 'add', {
        writable: true,
        value: (error: Error) => {
          throw error;
        },
      }),
  },
  {
    name: 'a slow delivery that was made stays parked',
    // By another worker; the one that made it leaves it alone.
    breaks: /was delivered 2 times|not at rest/,
    takeOut: () => returns(BullMqParking.prototype, 'delivered', Promise.resolve()),
  },
  {
    name: 'a message of which some deliveries were made goes back at SIGTERM',
    breaks: /was delivered 2 times/,
    seed: 6,
    takeOut: () => replace(InFlight.prototype, 'isPartlyUntouched', { get: () => false }),
  },
  {
    name: 'a message of which some deliveries were made is routed anew when it comes again',
    breaks: /was delivered 2 times/,
    seed: 6,
    takeOut: () => returns(KeptRoutings.prototype, 'take', undefined),
  },
  {
    name: 'what is known of a lane holds although something of it was stored since',
    breaks: /arrived after/,
    takeOut: lanesKnownForEver,
  },
  {
    name: 'an instance begins what it likes',
    breaks: /while others wait/,
    takeOut: () => returns(Places.prototype, 'mayBegin', true),
  },
  {
    name: 'a place that comes free is not given to what waits',
    breaks: /although there is room/,
    takeOut: () => returns(DirectAttempts.prototype, 'startNext', undefined),
  },
  {
    name: 'a worker hears nothing of what others know of a destination',
    breaks: /not at rest|which is (?:suspended|failing)/,
    takeOut: () => returns(HealthBoard.prototype, 'poll', Promise.resolve()),
  },
];
