import { type PackedSegment, packed } from './packed-segment';
import { PackingThread } from './packing-thread';
import type { RecordBatch } from './record-batch';

/** Without much to do for this long the thread ends: it holds ten megabytes. */
const IDLE_MS = 30_000;

export interface SegmentPackerParts {
  /** Called once, where the thread ended by itself: from then on everything is packed on this one. */
  readonly onThreadLost: (error: unknown) => void;
  /** The thread's program, where it is not the one that is built beside this file. */
  readonly entry?: string;
}

/** Makes of batches what Redis gets: on a thread of its own while records come by the ten thousand a second, and else on this one. */
export class SegmentPacker {
  private thread: PackingThread | 'lost' | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly parts: SegmentPackerParts) {}

  async pack({ isQuick, contents }: RecordBatch): Promise<PackedSegment> {
    if (!isQuick || this.thread === 'lost') return packed(contents);
    this.thread ??= new PackingThread(this.parts.entry);
    this.idle = this.idle?.refresh() ?? setTimeout(() => void this.close(), IDLE_MS);
    try {
      return await this.thread.pack(contents);
    } catch (error) {
      this.lose(error);
      return packed(contents);
    }
  }

  /** It may be asked again: another thread is started then. */
  async close(): Promise<void> {
    clearTimeout(this.idle);
    this.idle = undefined;
    const { thread } = this;
    if (thread === undefined || thread === 'lost') return;
    this.thread = undefined;
    await thread.close();
  }

  private lose(error: unknown): void {
    if (this.thread === 'lost') return;
    this.thread = 'lost';
    clearTimeout(this.idle);
    this.parts.onThreadLost(error);
  }
}
