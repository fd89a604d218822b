import { setTimeout as delay } from 'node:timers/promises';
import type { StreamKeys } from '../../destinations/websocket/stream';
import type { StreamId } from './stream-id';
import type { Page, StreamPlace, StreamReader } from './stream-reader';

export interface PatientReaderParts {
  readonly keys: StreamKeys;
  readonly reader: StreamReader;
  readonly subscribe: () => Promise<unknown>;
  /** Reads are many after an outage: a few at a time, shared out among streams. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 500;

/** What one channel asks Redis for: for as long as Redis is away it is asked again. Undefined once the channel is closed. */
export class PatientReader {
  private isClosed = false;

  constructor(private readonly parts: PatientReaderParts) {}

  close(): void {
    this.isClosed = true;
  }

  async subscribe(): Promise<void> {
    await this.persistently(async () => this.parts.subscribe());
  }

  /** Where the stream ends. */
  end(): Promise<StreamPlace | undefined> {
    const { keys, reader, inTurn } = this.parts;
    return this.persistently(() => inTurn(() => reader.end(keys)));
  }

  /** What the stream has after a position. */
  page(position: StreamId): Promise<Page | undefined> {
    const { keys, reader, inTurn } = this.parts;
    return this.persistently(() => inTurn(() => reader.after(keys, position)));
  }

  private async persistently<T>(work: () => Promise<T>): Promise<T | undefined> {
    while (!this.isClosed) {
      try {
        return await work();
      } catch (error) {
        this.parts.onError(error);
        await delay(RETRY_MS);
      }
    }
    return undefined;
  }
}
