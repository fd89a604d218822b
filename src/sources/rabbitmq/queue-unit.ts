import type { Logger } from '../../observability/logging';
import type { ControlChannel } from './control-channel';
import { type Ensured, ensureQueue } from './declare';
import type { ListedQueue } from './listed-queues';
import { nameFlaw } from './name-flaws';
import { shown } from './topology';
import { TopologyUnit, type UnitResult } from './topology-unit';

/** Pauses between looks for a queue that is missing. */
const RETRY = { firstMs: 1000, lastMs: 30_000 };

/** A queue that is consumed as it is: nothing is bound to it, and its arguments are not asked for. */
export class QueueUnit extends TopologyUnit {
  readonly kind = 'queue';

  constructor(
    private readonly queue: ListedQueue,
    log: Logger,
  ) {
    const { name } = queue;
    super({ key: `queue ${name}`, what: `queue ${shown(name)}`, instance: undefined, retry: RETRY, log });
  }

  needsOwnQueue(): boolean {
    return false;
  }

  beginAnew(): void {
    // Its arguments are not asked for: there is nothing to forget.
  }

  async ensure(control: ControlChannel): Promise<UnitResult> {
    const ensured = await this.find(control);
    if (ensured.kind === 'ready') return { queues: [this.queue.name], refused: [] };
    const { obstacle } = ensured;
    const text =
      obstacle.code === 'AMQP_404'
        ? 'it does not exist: RABBITMQ_QUEUES are consumed as they are, and are not made here'
        : obstacle.text;
    return { queues: [], refused: [{ ...obstacle, text, isEssential: true }] };
  }

  private async find(control: ControlChannel): Promise<Ensured> {
    const { name, isGo } = this.queue;
    const flaw = nameFlaw(name);
    if (flaw === undefined) return ensureQueue(control, name, { owner: 'go', mayDeclare: isGo });
    return { kind: 'refused', obstacle: { what: this.what, code: flaw.code, text: flaw.text } };
  }
}
