import type { Logger } from '../../observability/logging';
import type { ControlChannel } from './control-channel';
import { ensureBindings, ensureExchange, ensureQueue, type Obstacle } from './declare';
import type { Refused } from './refusals';
import {
  type BoundQueue,
  type ConsumedExchange,
  needsOwnQueue,
  planOf,
  type TopologyOptions,
} from './topology';
import { TopologyUnit, type UnitResult } from './topology-unit';

/** Pauses between tries of what is refused: soon at first, as it may be about to be put right. */
const RETRY = { firstMs: 1000, lastMs: 60_000 };

/** One exchange with its queues and bindings. */
export class ExchangeUnit extends TopologyUnit {
  readonly kind = 'exchange';
  /** Its type was looked at on the present connection. */
  private isTypeKnown = false;
  /** Bindings of an earlier process are gone. */
  private isTidy = false;
  /** Patterns that an earlier filter asked for. */
  private readonly stale = new Set<string>();
  private wanted: ConsumedExchange;

  constructor(
    exchange: ConsumedExchange,
    private readonly log: Logger,
  ) {
    super({
      key: exchangeKey(exchange),
      what: `exchange ${JSON.stringify(exchange.name)}`,
      instance: exchange.instance,
      retry: RETRY,
      log,
    });
    this.wanted = exchange;
  }

  needsOwnQueue(options: TopologyOptions): boolean {
    return needsOwnQueue(this.wanted, options);
  }

  get exchange(): ConsumedExchange {
    return this.wanted;
  }

  /** Whether it wants this binding of the exchange. */
  binds(name: string, pattern: string, options: TopologyOptions): boolean {
    return (
      this.wanted.name === name &&
      planOf(this.wanted, options).bound.some(({ bind }) => bind.includes(pattern))
    );
  }

  /** From now on with other events; bindings that are not wanted any more go. */
  change(exchange: ConsumedExchange, options: TopologyOptions): void {
    if (exchange !== this.wanted)
      for (const { bind } of planOf(this.wanted, options).bound) for (const key of bind) this.stale.add(key);
    this.wanted = exchange;
    this.startOver();
  }

  beginAnew(): void {
    this.isTypeKnown = false;
  }

  async ensure(control: ControlChannel, options: TopologyOptions, mayTidy: boolean): Promise<UnitResult> {
    const { wanted: exchange } = this;
    const plan = planOf(exchange, options);
    const refused = [...(plan.flaw === undefined ? [] : [plan.flaw]), ...plan.flawed].map((flaw) =>
      this.refusedBy(flaw, true),
    );
    if (plan.flaw !== undefined) return { queues: [], refused };
    const ensured = await ensureExchange(control, exchange.name, this.isTypeKnown);
    if (ensured.kind === 'ready') {
      if (ensured.isNew && this.isTypeKnown) this.warnOfLoss();
      this.isTypeKnown = true;
    } else refused.push(this.refusedBy(ensured.obstacle, true));
    const isThere = ensured.kind === 'ready';
    const { queues, obstacles } = this.needsOwnQueue(options)
      ? { queues: [], obstacles: isThere ? await this.bind(control, plan.bound, mayTidy) : [] }
      : await this.share(control, plan.bound, isThere);
    // A binding that may not be looked at may be there all the same.
    return { queues, refused: [...refused, ...obstacles.map((each) => this.refusedBy(each, false))] };
  }

  /** It was there on this connection. A binding that alone is deleted goes unseen: AMQP does not say whether there was one. */
  private warnOfLoss(): void {
    const { name, instance } = this.wanted;
    this.log.warn(
      'rabbitmq: an exchange was deleted: it is declared and bound anew; what was published meanwhile may be lost',
      { exchange: name, ...(instance === undefined ? {} : { instance }) },
    );
  }

  /** Shared: consumes what is there, whatever happens to be wrong with the exchange; declares what is missing. */
  private async share(
    control: ControlChannel,
    bound: readonly BoundQueue[],
    isThere: boolean,
  ): Promise<{ queues: string[]; obstacles: Obstacle[] }> {
    const queues: string[] = [];
    const obstacles: Obstacle[] = [];
    let mayBind = isThere;
    for (const each of bound) {
      const ensured = await ensureQueue(control, each.queue, { owner: 'api', mayDeclare: isThere });
      if (ensured.kind === 'refused') {
        if (isThere) obstacles.push(ensured.obstacle);
        continue;
      }
      queues.push(each.queue);
      if (!mayBind) continue;
      const isBound = await ensureBindings(control, this.wanted.name, each);
      if (isBound.kind === 'ready') continue;
      obstacles.push(isBound.obstacle);
      // The next one would be refused in the same way, and each refusal costs the broker a line in its log.
      mayBind = false;
    }
    return { queues, obstacles };
  }

  /** Dedicated: binds our own queues. */
  private async bind(
    control: ControlChannel,
    bound: readonly BoundQueue[],
    mayTidy: boolean,
  ): Promise<Obstacle[]> {
    const stale = new Set([...this.stale].filter((key) => bound.every(({ bind }) => !bind.includes(key))));
    const tidies = !this.isTidy && mayTidy;
    for (const { queue, bind, unbind: others } of bound) {
      const unbind = [...new Set([...stale, ...(tidies ? others : [])])];
      const ensured = await ensureBindings(control, this.wanted.name, { queue, bind, unbind });
      if (ensured.kind === 'refused') return [ensured.obstacle];
    }
    for (const key of stale) this.stale.delete(key);
    if (tidies) this.isTidy = true;
    return [];
  }

  private refusedBy(obstacle: Obstacle, isEssential: boolean): Refused {
    const { instance } = this.wanted;
    const { what, code, text } = obstacle;
    if (instance === undefined) return { what, code, text, isEssential };
    return { what, code, text, instance, isEssential: false };
  }
}

/** An instance may have the name of another exchange: it must not take its place. */
export function exchangeKey({ name, instance }: Pick<ConsumedExchange, 'name' | 'instance'>): string {
  return instance === undefined ? `exchange ${name}` : `instance ${name}`;
}
