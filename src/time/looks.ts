import { randomBytes } from 'node:crypto';

/**
 * Looks again and again, and at once where somebody asks for it; one look at a time. Under a name of its own where one of several
 * workers looks.
 */
export class Looks {
  readonly worker = randomBytes(9).toString('base64url');
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;
  private stopped = false;

  /** @param look must not reject */
  constructor(
    private readonly everyMs: number,
    private readonly look: () => Promise<void>,
  ) {}

  get isStopped(): boolean {
    return this.stopped;
  }

  /** The first look comes when the first pause is over, or by `soon`. */
  start(): void {
    if (!this.stopped) this.timer ??= setInterval(() => this.soon(), this.everyMs);
  }

  /** Looks now, where no look is under way. */
  soon(): void {
    if (this.stopped) return;
    this.looking ??= this.look().finally(() => {
      this.looking = undefined;
    });
  }

  /** For good; what is under way ends. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.looking;
  }
}
