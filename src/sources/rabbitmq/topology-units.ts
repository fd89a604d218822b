import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../../observability/logging';
import { monotonicMs } from '../../time/monotonic';
import { ExchangeUnit, exchangeKey } from './exchange-unit';
import type { ListedQueue } from './listed-queues';
import type { QueueTally } from './queue-tally';
import { QueueUnit } from './queue-unit';
import type { Refusals, Refused } from './refusals';
import type { ConsumedExchange, TopologyOptions } from './topology';
import type { TopologyUnit, UnitResult } from './topology-unit';
import type { UnwantedBindings } from './unwanted-bindings';

export interface TopologyUnitsParts {
  /** Queues that are consumed as they are. */
  readonly queues: readonly ListedQueue[];
  /** Everything is looked at again after this at most. */
  readonly recheckMs: number;
  readonly tally: QueueTally;
  readonly refusals: Refusals;
  readonly unwanted: UnwantedBindings;
  readonly log: Logger;
}

/** Share of the time by which looking again is spread, so that ten thousand exchanges do not come at once. */
const RECHECK_SPREAD = 0.25;

/** Suspects that are remembered while nobody wants them. */
const MOST_SUSPECTS = 1000;

/** What is wanted at the broker, and what of it is to be looked at now. */
export class TopologyUnits {
  private readonly units = new Map<string, ExchangeUnit | QueueUnit>();
  private readonly due = new Set<TopologyUnit>();
  /** Keys of suspects that were dropped: wanted again, they are no less suspect. */
  private readonly suspects = new Set<string>();

  constructor(private readonly parts: TopologyUnitsParts) {
    for (const queue of parts.queues) this.add(new QueueUnit(queue, parts.log));
  }

  get hasDue(): boolean {
    return this.due.size > 0;
  }

  get isOperatorsOut(): boolean {
    for (const unit of this.units.values()) if (unit.isOperatorsOut) return true;
    return false;
  }

  has(key: string): boolean {
    return this.units.has(key);
  }

  /** Whether some exchange wants this binding. */
  wantsBinding(name: string, pattern: string, topology: TopologyOptions): boolean {
    for (const unit of this.units.values())
      if (unit.kind === 'exchange' && unit.binds(name, pattern, topology)) return true;
    return false;
  }

  /** Whether anything is to be done for it. @param topology as it is bound at present */
  put(exchange: ConsumedExchange, topology: TopologyOptions): boolean {
    const key = exchangeKey(exchange);
    let unit = this.units.get(key);
    if (unit?.kind !== 'exchange') {
      // What was bound before it was dropped goes, as with any other change.
      unit = new ExchangeUnit(this.parts.unwanted.keep(key) ?? exchange, this.parts.log);
      if (this.suspects.delete(key)) unit.suspect();
    } else if (unit.state !== 'refused' && isDeepStrictEqual(unit.exchange, exchange)) return false;
    unit.change(exchange, topology);
    this.add(unit);
    return true;
  }

  /** Consumes the exchange of an instance no longer. */
  drop(instance: string): void {
    const key = exchangeKey({ name: instance, instance });
    const unit = this.units.get(key);
    const { unwanted, refusals, tally } = this.parts;
    if (unit?.kind !== 'exchange') return unwanted.dropNoted(key, instance);
    this.units.delete(key);
    this.due.delete(unit);
    refusals.forget(key);
    tally.replace(unit.queues, []);
    if (unit.state === 'suspect' && this.suspects.size < MOST_SUSPECTS) this.suspects.add(key);
    unwanted.drop(key, unit.exchange);
  }

  /**
   * The broker ended a subscription. The bindings went with the queue, also where somebody else has declared it again by
   * then.
   *
   * @param isOwn everything is bound to it
   */
  queueEnded(queue: string, isOwn: boolean, dueAt: number): void {
    for (const unit of this.units.values()) {
      if (!isOwn && !unit.queues.includes(queue)) continue;
      const before = unit.queues;
      unit.lose(queue, dueAt);
      this.parts.tally.replace(before, unit.queues, unit.instance);
    }
  }

  /** Nothing is known of a broker that was away: it may be another one. */
  beginAnew(): void {
    for (const unit of this.units.values()) unit.beginAnew();
    this.markAllDue();
  }

  markAllDue(): void {
    for (const unit of this.units.values()) this.becomeDue(unit);
  }

  /** Those whose time has come. */
  markDue(now: number): void {
    for (const unit of this.units.values()) if (unit.isDue(now)) this.becomeDue(unit);
  }

  /** Takes those out that are due and can go on. */
  takeDue(canGoOn: (unit: TopologyUnit) => boolean): readonly TopologyUnit[] {
    const taken = [...this.due].filter(canGoOn);
    for (const unit of taken) this.due.delete(unit);
    return taken;
  }

  /** Those to be tried on a connection of their own. */
  dueSuspects(now: number): readonly TopologyUnit[] {
    return [...this.units.values()].filter((unit) => unit.state === 'suspect' && unit.isDue(now));
  }

  /** The broker has answered. */
  settle(unit: TopologyUnit, result: UnitResult): void {
    if (this.isGone(unit)) return;
    const { recheckMs, tally, refusals, unwanted } = this.parts;
    tally.replace(unit.queues, result.queues, unit.instance);
    refusals.set(unit.key, result.refused);
    unit.settle(result, monotonicMs(), recheckMs * (1 - RECHECK_SPREAD * Math.random()));
    if (unit instanceof ExchangeUnit && unit.state === 'ready') unwanted.hold(unit.key, unit.exchange);
  }

  /** A suspect was tried alone, and the broker closed that connection, too. */
  refuse(unit: TopologyUnit, refused: Refused): void {
    if (!this.isGone(unit)) this.parts.refusals.set(unit.key, [refused]);
  }

  /** It was dropped while the broker was asked; another one may have its key by now. */
  private isGone(unit: TopologyUnit): boolean {
    return this.units.get(unit.key) !== unit;
  }

  private add(unit: ExchangeUnit | QueueUnit): void {
    this.units.set(unit.key, unit);
    this.becomeDue(unit);
  }

  /** Suspects are tried alone. */
  private becomeDue(unit: TopologyUnit): void {
    if (unit.state !== 'suspect') this.due.add(unit);
  }
}
