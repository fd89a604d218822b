import { Looks } from '../time/looks';
import { Slices } from '../time/slices';
import { endOfHour, hourOfWeek } from './rhythm';
import { type HeardOf, type Silence, type SilenceStore, STEP_MS } from './silence-store';
import { NOTHING_HEARD, WatchedInstance } from './watched-instance';

/** Learns what became of instances; must not throw. */
export interface SilenceObserver {
  /** They were lively and say nothing any more. */
  fellSilent(silent: ReadonlyMap<string, Silence>): void;
  speakAgain(instances: readonly string[]): void;
  /** Most of those that usually speak at this hour say nothing: one cause, which is none of theirs. */
  mostAreSilent(count: number, of: number): void;
}

export interface SilenceWatchParts {
  readonly store: Pick<SilenceStore, 'lease' | 'heardIn' | 'instances' | 'learn' | 'tell' | 'silentOnes'>;
  readonly observer: SilenceObserver;
  readonly onError: (error: unknown) => void;
}

const LOOK_MS = STEP_MS / 8;
/** A worker that is gone is replaced within this. */
const LEASE_MS = 60_000;
/** Workers report what they heard in a step until a moment after its end. */
const LATE_MS = STEP_MS / 6;
/** Steps of an hour. */
const STEPS_KEPT = 3_600_000 / STEP_MS;
/** Instances that are watched; names come from outside. */
const MAX_INSTANCES = 20_000;
const FORGOTTEN_MS = 30 * 86_400_000;
/** Messages an hour of an instance that is expected to speak; how many of those there must be, and what part is most. */
const SPEAKS_PER_HOUR = 4;
const LEAST_EXPECTED = 5;
const MOST = 0.8;

type Change = readonly [instance: string, silence: Silence | undefined];

/** Follows what all instances say, at one of all workers, and reports when one falls silent or speaks again. */
export class SilenceWatch {
  private readonly looks = new Looks(LOOK_MS, () => this.look());
  private readonly instances = new Map<string, WatchedInstance>();
  private silent = new Map<string, Silence>();
  /** Undefined: another worker watches. */
  private nextStep: number | undefined;
  private savedHour = 0;
  private saidMost = false;

  constructor(private readonly parts: SilenceWatchParts) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  /** Follows the steps that have ended since the last one; nothing where another worker watches. */
  async look(): Promise<void> {
    try {
      const now = await this.parts.store.lease(this.looks.worker, LEASE_MS);
      if (now === undefined) return this.leave();
      const last = Math.floor((now - LATE_MS) / STEP_MS) - 1;
      if (this.nextStep === undefined) await this.takeOver(last);
      while (this.nextStep !== undefined && this.nextStep <= last) await this.follow(this.nextStep++);
      await this.tellChanges(last);
      if (endOfHour(now) !== this.savedHour) await this.save(now);
    } catch (error) {
      // What was followed halfway is followed anew, from the records of the last hour.
      this.leave();
      this.parts.onError(error);
    }
  }

  private leave(): void {
    this.nextStep = undefined;
    this.instances.clear();
  }

  private async takeOver(last: number): Promise<void> {
    const { store } = this.parts;
    this.silent = new Map(await store.silentOnes());
    for await (const [instance, watched] of store.instances()) this.instances.set(instance, watched);
    // Records are as old as that; of older ones nobody knows what was heard since.
    this.nextStep = last - STEPS_KEPT;
  }

  private async follow(step: number): Promise<void> {
    const heard = await this.parts.store.heardIn(step);
    const begin = step * STEP_MS;
    const changed = heard === undefined ? [] : this.admit(heard, begin);
    await this.advance(begin, heard);
    // Others are stored once an hour; whoever has just connected an instance looks whether it is heard.
    if (changed.length > 0)
      await this.parts.store.learn(changed.map((instance) => [instance, this.instances.get(instance)]));
  }

  /** Once all that has ended is followed: what a worker that takes over sees again is no news. */
  private async tellChanges(last: number): Promise<void> {
    const changes: Change[] = [];
    for (const [instance, watched] of this.instances) {
      const change = this.changeOf(instance, watched);
      if (change !== undefined) changes.push(change);
    }
    await this.parts.store.tell(changes);
    this.report(changes);
    this.compareAll(last * STEP_MS);
  }

  /** Instances that are new, and those that were removed. */
  private admit(heard: ReadonlyMap<string, HeardOf>, begin: number): string[] {
    const changed: string[] = [];
    for (const [instance, { said }] of heard) {
      if (said === 'gone') {
        this.instances.delete(instance);
        this.silent.delete(instance);
        changed.push(instance);
      } else if (!this.instances.has(instance) && this.instances.size < MAX_INSTANCES) {
        this.instances.set(instance, WatchedInstance.new(begin));
        changed.push(instance);
      }
    }
    return changed;
  }

  private async advance(begin: number, heard: ReadonlyMap<string, HeardOf> | undefined): Promise<void> {
    const slices = new Slices();
    for (const [instance, watched] of this.instances) {
      await slices.pause();
      if (watched.state.at > begin) continue;
      if (watched.state.at < begin) watched.skip(begin);
      if (heard === undefined) watched.skip(begin + STEP_MS);
      else watched.advance(begin + STEP_MS, heard.get(instance) ?? NOTHING_HEARD);
    }
  }

  private changeOf(instance: string, { state, verdict }: WatchedInstance): Change | undefined {
    const isSilent = verdict.kind === 'silent';
    if (isSilent === this.silent.has(instance)) return undefined;
    if (!isSilent) {
      this.silent.delete(instance);
      return [instance, undefined];
    }
    const silence = {
      since: verdict.why === 'closed' ? state.closedAt : state.lastMessageAt,
      why: verdict.why,
    };
    this.silent.set(instance, silence);
    return [instance, silence];
  }

  private report(changes: readonly Change[]): void {
    const silent = new Map<string, Silence>();
    const speaking: string[] = [];
    for (const [instance, silence] of changes) {
      if (silence === undefined) speaking.push(instance);
      else silent.set(instance, silence);
    }
    if (silent.size > 0) this.parts.observer.fellSilent(silent);
    if (speaking.length > 0) this.parts.observer.speakAgain(speaking);
  }

  private compareAll(at: number): void {
    let expected = 0;
    let silent = 0;
    for (const [instance, { rhythm, verdict }] of this.instances) {
      if (verdict.kind === 'learning' || rhythm.at(hourOfWeek(at)) < SPEAKS_PER_HOUR) continue;
      expected++;
      if (this.silent.has(instance)) silent++;
    }
    const areMost = expected >= LEAST_EXPECTED && silent >= expected * MOST;
    if (areMost && !this.saidMost) this.parts.observer.mostAreSilent(silent, expected);
    this.saidMost = areMost;
  }

  /** Once an hour: steps are kept for longer than that, so that the worker that takes over follows them again. */
  private async save(now: number): Promise<void> {
    const { store } = this.parts;
    const slices = new Slices();
    const some: (readonly [string, WatchedInstance | undefined])[] = [];
    for (const [instance, watched] of this.instances) {
      await slices.pause();
      const isForgotten = now - watched.state.lastMessageAt > FORGOTTEN_MS;
      if (isForgotten) this.instances.delete(instance);
      some.push([instance, isForgotten ? undefined : watched]);
      if (some.length >= 100) await store.learn(some.splice(0));
    }
    await store.learn(some);
    this.savedHour = endOfHour(now);
  }
}
