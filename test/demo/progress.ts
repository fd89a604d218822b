import { MultiBar, type SingleBar } from 'cli-progress';

/** How far one of those involved is. */
export interface Stage {
  readonly name: string;
  readonly count: number;
  readonly note: string;
}

export interface Progress {
  show(stages: readonly Stage[]): void;
  stop(): void;
}

export function createProgress(total: number): Progress {
  return process.stdout.isTTY ? new Bars(total) : new Lines(total);
}

const BAR_WIDTH = 28;
const NAME_WIDTH = 10;

/** One bar for each stage. */
class Bars implements Progress {
  private readonly bars: SingleBar[] = [];
  private readonly multiBar = new MultiBar({
    format: '{name}{bar} {count}  {note}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: BAR_WIDTH,
    hideCursor: true,
    stream: process.stdout,
  });

  constructor(private readonly total: number) {}

  show(stages: readonly Stage[]): void {
    for (const [index, { name, count, note }] of stages.entries()) {
      const payload = {
        name: name.padEnd(NAME_WIDTH),
        count: `${count}/${this.total}`.padStart(2 * String(this.total).length + 1),
        note,
      };
      this.bars[index] ??= this.multiBar.create(this.total, 0, payload);
      this.bars[index].update(count, payload);
    }
  }

  /** Draws the last state and gives the cursor back. */
  stop(): void {
    if (this.multiBar.isActive) this.multiBar.stop();
  }
}

const LINE_EVERY_MS = 2_000;

/** For logs: a line now and then. */
class Lines implements Progress {
  private latest = '';
  private shown = '';
  private shownAt = 0;

  constructor(private readonly total: number) {}

  show(stages: readonly Stage[]): void {
    const parts = stages.map(({ name, count, note }) => `${name} ${count}${note && ` (${note})`}`);
    this.latest = `of ${this.total}: ${parts.join(', ')}`;
    if (Date.now() - this.shownAt >= LINE_EVERY_MS) this.print();
  }

  stop(): void {
    this.print();
  }

  private print(): void {
    if (this.latest === this.shown) return;
    this.shown = this.latest;
    this.shownAt = Date.now();
    console.log(this.latest);
  }
}
