import type { Owner, VirtualTime } from './virtual-time';

/** One incarnation of a worker: its memory is gone when it dies, and nothing reaches it while it is frozen. */
export class Process implements Owner {
  state: Owner['state'] = 'running';
  skewMs = 0;
  private held: (() => void)[] = [];
  private readonly deathListeners: (() => void)[] = [];

  constructor(
    readonly name: string,
    private readonly time: VirtualTime,
  ) {}

  run<T>(work: () => T): T {
    return this.time.as(this, work);
  }

  /** Something from outside reaches the process: at once, when it thaws, or never. */
  reach(work: () => void): void {
    if (this.state === 'running') this.run(work);
    else if (this.state === 'frozen') this.held.push(work);
  }

  freeze(): void {
    if (this.state === 'running') this.state = 'frozen';
  }

  thaw(): void {
    if (this.state !== 'frozen') return;
    this.state = 'running';
    for (const work of this.held.splice(0)) this.run(work);
  }

  onDeath(listener: () => void): void {
    this.deathListeners.push(listener);
  }

  /** The world sees its connections break. */
  die(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.held = [];
    for (const listener of this.deathListeners) this.time.as(undefined, listener);
  }
}
