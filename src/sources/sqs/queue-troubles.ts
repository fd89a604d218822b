import { LRUCache } from 'lru-cache';
import { errorCode, errorText } from '../../errors';
import type { Fields, Logger } from '../../observability/logging';
import { monotonicMs } from '../../time/monotonic';
import type { SqsAction } from './api';
import { nameOfQueue } from './queue-names';
import { isOfQueue, type Trouble, troubleOf } from './trouble';

/** Queues in trouble that are remembered, each with its name and a code. */
const MAX_REMEMBERED = 20_000;
/** A queue that is not asked for any more, as it was deleted, is forgotten. */
const REMEMBERED_MS = 600_000;
/** Queues that fail alike are named one by one up to this many in half a minute; the others are counted. */
const MAX_NAMED = 10;
const WINDOW_MS = 30_000;

const MESSAGES: Readonly<Record<Trouble, string>> = {
  gone: 'an sqs queue does not exist',
  refused: 'sqs refuses the relay: check the credentials and the policy (deploy/aws/)',
  throttled: 'sqs is throttling requests',
  failing: 'sqs has a fault',
  away: 'sqs unavailable',
};

interface Known {
  readonly action: SqsAction;
  readonly subject: string;
  readonly code: string;
}

interface Window {
  begunAt: number;
  named: number;
  unnamed: number;
}

/**
 * What is wrong with single queues: logged once when it begins and once when it is over. What concerns the service as a
 * whole is logged once in half a minute.
 */
export class QueueTroubles {
  private readonly known = new LRUCache<string, Known>({
    max: MAX_REMEMBERED,
    ttl: REMEMBERED_MS,
  });
  private readonly windows = new Map<Trouble | 'over', Window>();

  constructor(private readonly log: Logger) {}

  failed(action: SqsAction, subject: string, error: unknown): void {
    const trouble = troubleOf(error);
    const code = errorCode(error);
    if (isOfQueue(trouble)) {
      const key = keyOf(action, subject);
      const isNews = this.known.get(key)?.code !== code;
      this.known.set(key, { action, subject, code });
      if (!isNews) return;
    }
    const others = this.countIn(trouble, isOfQueue(trouble) ? MAX_NAMED : 1);
    if (others === undefined) return;
    this.log.warn(MESSAGES[trouble], {
      code,
      error: errorText(error),
      action,
      ...subjectOf(action, subject),
      ...(others > 0 ? { others } : {}),
    });
  }

  answered(action: SqsAction, subject: string): void {
    // Nearly always there is nothing to look for.
    if (this.known.size === 0) return;
    if (!this.known.delete(keyOf(action, subject))) return;
    const others = this.countIn('over', MAX_NAMED);
    if (others === undefined) return;
    this.log.info('sqs answers again', {
      action,
      ...subjectOf(action, subject),
      ...(others > 0 ? { others } : {}),
    });
  }

  /** For people; undefined where nothing is wrong with what is consumed. A queue that is gone is not. */
  summary(isConsumed: (queueUrl: string) => boolean): string | undefined {
    const relevant = [...this.known.values()].filter(
      ({ action, subject }) => action === 'list' || isConsumed(subject),
    );
    const [first, ...others] = relevant;
    if (first === undefined) return undefined;
    const name = first.action === 'list' ? 'the list of queues' : nameOfQueue(first.subject);
    return `in trouble: ${name} (${first.code})${others.length === 0 ? '' : ` and ${others.length} more`}`;
  }

  /** How many were not named before this one; undefined where it is not named either. */
  private countIn(kind: Trouble | 'over', limit: number): number | undefined {
    const now = monotonicMs();
    const window = this.windows.get(kind);
    if (window === undefined || now - window.begunAt > WINDOW_MS) {
      this.windows.set(kind, { begunAt: now, named: 1, unnamed: 0 });
      return window?.unnamed ?? 0;
    }
    if (window.named >= limit) {
      window.unnamed++;
      return undefined;
    }
    window.named++;
    return 0;
  }
}

function subjectOf(action: SqsAction, subject: string): Fields {
  return action === 'list' ? { prefix: subject } : { queue: subject };
}

function keyOf(action: SqsAction, subject: string): string {
  return `${action} ${subject}`;
}
