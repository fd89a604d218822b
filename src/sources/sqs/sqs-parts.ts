import type { Fields } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import type { SqsApi } from './api';
import { ClaimDesk } from './claim-desk';
import { ClaimHosts } from './claim-hosts';
import { ClaimRoom } from './claim-room';
import { Depths } from './depths';
import { Inbox } from './inbox';
import { IntakeBudget } from './intake-budget';
import { Pollers } from './pollers';
import type { ConsumedQueue } from './queue-names';
import { Registry } from './registry';
import type { SqsSourceOptions } from './sqs-source';

/** What runs between start and close. */
export interface SqsParts {
  readonly api: SqsApi;
  readonly claims: ClaimDesk | undefined;
  readonly inbox: Inbox;
  readonly pollers: Pollers;
  readonly registry: Registry;
  readonly depths: Depths;
}

export interface SqsComposition {
  readonly api: SqsApi;
  readonly options: SqsSourceOptions;
  readonly onMessage: (message: SourceMessage) => void;
  /** All queues to consume from now on. */
  readonly onQueues: (queues: readonly ConsumedQueue[]) => void;
  /** It is known which queues there are. */
  readonly onSearched: () => void;
  readonly warn: (key: string, message: string, fields: Fields) => void;
}

/** A share of the slots for each poll: as many polls as there is room for, and not a thousand for a thousand queues. */
const MESSAGES_PER_POLL = 5;
const MAX_POLLS = 64;

/** Puts the parts of the source together. */
export function composeSqs({
  api,
  options,
  onMessage,
  onQueues,
  onSearched,
  warn,
}: SqsComposition): SqsParts {
  const { maxMessages, waitSeconds, visibilitySeconds } = options;
  const budget = new IntakeBudget(maxMessages, options.maxBytes);
  const claims = claimDeskOf(options, budget);
  const inbox = new Inbox({
    api,
    budget,
    maxMessages,
    visibilitySeconds,
    claims,
    onMessage,
    onRoom: () => pollers.wake(),
  });
  const depths = new Depths(api);
  const pollers = new Pollers({
    api,
    inbox,
    budget,
    maxPolls: Math.min(MAX_POLLS, Math.max(1, Math.ceil(maxMessages / MESSAGES_PER_POLL))),
    maxMessages,
    waitSeconds,
    visibilitySeconds,
    onReceived: (queue, messages) => depths.received(queue, messages),
    onGone: (queue) => registry.drop(queue),
  });
  const registry = new Registry(options, { api, onQueues, onSearched, warn });
  return { api, claims, inbox, pollers, registry, depths };
}

function claimDeskOf({ downloader, log }: SqsSourceOptions, budget: IntakeBudget): ClaimDesk | undefined {
  if (downloader === undefined) return undefined;
  const hosts = new ClaimHosts({
    warn: (message, fields) => log.warn(message, fields),
    info: (message, fields) => log.info(message, fields),
  });
  return new ClaimDesk({ downloader, room: new ClaimRoom(budget), hosts });
}
