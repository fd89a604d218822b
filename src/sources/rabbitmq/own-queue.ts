import type { Logger } from '../../observability/logging';
import { Backoff } from '../../time/backoff';
import { monotonicMs } from '../../time/monotonic';
import type { ControlChannel } from './control-channel';
import { type Ensured, ensureQueue, hasRedeliveryLimit, redeliveryLimitRemedy } from './declare';
import { nameFlaw } from './name-flaws';
import type { Refusals } from './refusals';
import { shown } from './topology';

export interface OwnQueueParts {
  readonly name: string;
  /** For one consumer at a time. */
  readonly isOrdered?: boolean;
  readonly recheckMs: number;
  readonly refusals: Refusals;
  readonly log: Logger;
}

const RETRY = { firstMs: 1000, lastMs: 60_000 };
/** What is refused of it is kept under this name; no exchange has it. */
const OWNER = { main: '', ordered: 'ordered' };

/** A queue of our own: without the dedicated one no exchange can be bound. */
export class OwnQueue {
  private readonly pause = new Backoff(RETRY);
  private dueAt = 0;
  private ready = false;
  private isLimitKnown = false;

  constructor(private readonly parts: OwnQueueParts) {}

  get isReady(): boolean {
    return this.ready;
  }

  /** To be looked at in `ms`. */
  hasten(ms: number): void {
    this.dueAt = monotonicMs() + ms;
    this.ready = false;
  }

  /** Looks at it where it is due; true where it was declared just now, without any binding. @throws ConnectionLostError */
  async ensure(control: ControlChannel): Promise<boolean> {
    const { name, recheckMs, refusals, isOrdered = false } = this.parts;
    const owner = isOrdered ? OWNER.ordered : OWNER.main;
    if (this.dueAt > monotonicMs()) return false;
    const ensured = await ensureNamed(control, name, isOrdered);
    this.ready = ensured.kind === 'ready';
    if (ensured.kind === 'refused') {
      refusals.set(owner, [{ ...ensured.obstacle, isEssential: !isOrdered }]);
      this.dueAt = monotonicMs() + this.pause.next();
      return false;
    }
    refusals.set(owner, []);
    this.pause.reset();
    this.dueAt = monotonicMs() + recheckMs;
    if (!isOrdered) await this.lookForLimit(control);
    return ensured.isNew;
  }

  private async lookForLimit(control: ControlChannel): Promise<void> {
    const { name, log } = this.parts;
    if (this.isLimitKnown) return;
    const isLimited = await hasRedeliveryLimit(control, name);
    this.isLimitKnown = true;
    if (isLimited === true) log.warn('redeliveries are limited', { remedy: redeliveryLimitRemedy(name) });
  }
}

async function ensureNamed(control: ControlChannel, name: string, isOrdered: boolean): Promise<Ensured> {
  const flaw = nameFlaw(name);
  if (flaw === undefined) return ensureQueue(control, name, { owner: 'relay', isOrdered, mayDeclare: true });
  return { kind: 'refused', obstacle: { what: `queue ${shown(name)}`, code: flaw.code, text: flaw.text } };
}
