import { PrefetchWindow } from './prefetch-window';
import { QueueDepths } from './queue-depths';
import type { RabbitMqSourceOptions } from './rabbitmq-source';
import { Refusals } from './refusals';
import { RefusedQueues } from './refused-queues';
import { type Connect, connector } from './session';
import { TopologyKeeper } from './topology-keeper';
import { UnwantedBindings } from './unwanted-bindings';

/** What a source is made of that outlasts its connections. */
export interface RabbitMqParts {
  readonly connect: Connect;
  readonly window: PrefetchWindow;
  readonly refusals: Refusals;
  readonly refusedQueues: RefusedQueues;
  readonly keeper: TopologyKeeper;
  readonly unwanted: UnwantedBindings;
  readonly queueDepths: QueueDepths;
}

export interface RabbitMqComposition {
  readonly options: RabbitMqSourceOptions;
  /** Ends every connection, those that are being made too. */
  readonly stopped: AbortSignal;
  readonly onQueue: (queue: string, isWanted: boolean) => void;
  /** Exchanges, queues and bindings were all looked at. */
  readonly onPass: () => void;
  /** The ordered queue was declared just now. */
  readonly onOrderedNew: () => void;
}

const RECHECK_MS = 60_000;

export function composeRabbitMq(composition: RabbitMqComposition): RabbitMqParts {
  const { options, stopped, onQueue, onPass, onOrderedNew } = composition;
  const { uri, frameMax, topology, queues = [], log } = options;
  const connect = options.connect ?? connector(uri, frameMax);
  const refusals = new Refusals(log);
  const unwanted = new UnwantedBindings({ topology, notes: options.notes, log });
  const keeper = new TopologyKeeper({
    unwanted,
    topology,
    queues,
    // A connection of its own that the keeper makes is given up with the others.
    connect: (signal) => connect(AbortSignal.any([signal, stopped])),
    recheckMs: options.recheckMs ?? RECHECK_MS,
    refusals,
    onQueue,
    onPass,
    onOrderedNew,
    log,
  });
  const instanceOf = (queue: string): string | undefined => keeper.instanceOf(queue);
  return {
    connect,
    unwanted,
    window: new PrefetchWindow(options.prefetch, options.maxBytes),
    refusals,
    keeper,
    refusedQueues: new RefusedQueues({
      refusals,
      instanceOf,
      isEssential: (queue) => queue === topology.queue || queues.some(({ name }) => name === queue),
    }),
    queueDepths: new QueueDepths({ queues: () => [...keeper.queues, ...keeper.orderedQueues], instanceOf }),
  };
}
