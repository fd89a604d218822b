import { randomBytes } from 'node:crypto';

/** Looks again and again, one look at a time; under a name of its own where one of several workers looks. */
export class Looks {
  readonly worker = randomBytes(9).toString('base64url');
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | undefined;

  /** @param look must not reject */
  constructor(
    private readonly everyMs: number,
    private readonly look: () => Promise<void>,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => {
      this.looking ??= this.look().finally(() => {
        this.looking = undefined;
      });
    }, this.everyMs);
  }

  /** What is under way ends. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }
}
