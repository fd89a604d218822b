import { monotonicMs } from '../../time/monotonic';
import type { CallObserver, SqsAction } from './api';
import { isOfQueue, troubleOf } from './trouble';

export interface ContactParts {
  /** Asks the service something cheap. Must not reject. */
  readonly ask: () => Promise<void>;
  /** A call was answered. */
  readonly onAnswer: (action: SqsAction) => void;
  /** A call failed, and nothing was answered since it was begun. */
  readonly onSilence: (error: unknown) => void;
}

/** After so long without an answer the service is asked for its own sake: a full source makes no polls. */
export const ASK_AFTER_MS = 8000;
const CHECK_MS = 2000;

/** Whether SQS answers, by what became of the calls that are made anyway, and by one of its own where there are none. */
export class Contact implements CallObserver {
  private lastAnswerAt = Number.NEGATIVE_INFINITY;
  private timer: NodeJS.Timeout | undefined;
  private asking = false;

  constructor(private readonly parts: ContactParts) {}

  /** Whether the service ever answered. */
  get wasAnswered(): boolean {
    return this.lastAnswerAt > Number.NEGATIVE_INFINITY;
  }

  start(): void {
    this.timer ??= setInterval(() => void this.check(), CHECK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  answered(action: SqsAction, _subject: string): void {
    this.lastAnswerAt = monotonicMs();
    this.parts.onAnswer(action);
  }

  failed(_action: SqsAction, _subject: string, error: unknown, begunAt: number): void {
    const trouble = troubleOf(error);
    // It did answer, whatever it said.
    if (isOfQueue(trouble) || trouble === 'throttled') return;
    if (this.lastAnswerAt < begunAt) this.parts.onSilence(error);
  }

  private async check(): Promise<void> {
    if (this.asking || monotonicMs() - this.lastAnswerAt < ASK_AFTER_MS) return;
    this.asking = true;
    await this.parts.ask();
    this.asking = false;
  }
}
