import { errorText } from '../../errors';
import { Backoff } from '../../time/backoff';
import { monotonicMs } from '../../time/monotonic';
import type { RefusedError } from './control-channel';
import type { Refusals } from './refusals';
import { ConnectionLostError } from './session';

/** Pauses between tries to consume a queue that is refused. */
const RETRY = { firstMs: 5000, lastMs: 60_000 };
/** Where a try costs the whole connection. */
const CONNECTION_RETRY_MS = 600_000;

interface Entry {
  readonly pause: Backoff;
  dueAt: number;
}

export interface RefusedQueuesParts {
  readonly refusals: Refusals;
  /** The instance whose queue it is; undefined for one that the operator configured. */
  readonly instanceOf: (queue: string) => string | undefined;
  /** Without it nothing comes in. */
  readonly isEssential: (queue: string) => boolean;
}

/** Queues that the broker does not let us consume, and when each is tried again. */
export class RefusedQueues {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly parts: RefusedQueuesParts) {}

  /** Undefined where it was not refused. */
  retry(queue: string): 'now' | 'later' | undefined {
    const entry = this.entries.get(queue);
    if (entry === undefined) return undefined;
    return entry.dueAt <= monotonicMs() ? 'now' : 'later';
  }

  refuse(queue: string, error: RefusedError | ConnectionLostError): void {
    const entry = this.entries.get(queue) ?? { pause: new Backoff(RETRY), dueAt: 0 };
    this.entries.set(queue, entry);
    const costsConnection = error instanceof ConnectionLostError;
    entry.dueAt = monotonicMs() + (costsConnection ? CONNECTION_RETRY_MS : entry.pause.next());
    const { refusals, instanceOf, isEssential } = this.parts;
    const instance = instanceOf(queue);
    refusals.set(ownerOf(queue), [
      {
        what: `queue ${JSON.stringify(queue)}`,
        code: error.code,
        text: `it cannot be consumed: ${errorText(error)}`,
        isEssential: isEssential(queue),
        ...(instance === undefined ? {} : { instance }),
      },
    ]);
  }

  consumed(queue: string): void {
    if (!this.entries.delete(queue)) return;
    this.parts.refusals.set(ownerOf(queue), []);
  }

  /** It is not wanted any more. */
  forget(queue: string): void {
    if (this.entries.delete(queue)) this.parts.refusals.forget(ownerOf(queue));
  }
}

function ownerOf(queue: string): string {
  return `consumed ${queue}`;
}
