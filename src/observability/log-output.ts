import type { Writable } from 'node:stream';
import { monotonicMs } from '../time/monotonic';

/** Bytes that wait for a reader that is slow or has stopped reading. Lines beyond it are dropped. */
const MAX_WAITING = 1_048_576;
/** After a failure (a full disk, a reader that is gone) the next line is tried so much later. */
const RETRY_MS = 1000;

export interface LogOutputParts {
  readonly stream: Writable;
  /** Called for each line that was not written. */
  readonly onDropped: () => void;
  /** Called when lines are taken again, with the number of those that were dropped meanwhile. */
  readonly onRecovered: (dropped: number) => void;
  readonly now?: () => number;
}

/** Writes log lines for as long as somebody takes them. A log that nobody takes must not end or stop the process. */
export class LogOutput {
  private readonly now: () => number;
  private dropped = 0;
  private retryAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: LogOutputParts) {
    this.now = parts.now ?? monotonicMs;
    // Each write hears of its own failure; without a listener the stream would end the process.
    parts.stream.on('error', ignore);
  }

  write(line: string): void {
    const { stream } = this.parts;
    if (stream.writableLength > MAX_WAITING || this.now() < this.retryAt) return this.drop();
    stream.write(`${line}\n`, (error) => {
      if (error) this.fail();
      else if (this.dropped > 0 && stream.writableLength <= MAX_WAITING / 2) this.recover();
    });
  }

  private fail(): void {
    this.retryAt = this.now() + RETRY_MS;
    this.drop();
  }

  private drop(): void {
    this.dropped++;
    this.parts.onDropped();
  }

  private recover(): void {
    const { dropped } = this;
    this.dropped = 0;
    this.retryAt = Number.NEGATIVE_INFINITY;
    this.parts.onRecovered(dropped);
  }
}

function ignore(): void {}
