import { setTimeout as delay } from 'node:timers/promises';
import { EventSupply } from './events';
import type { Publications } from './publications';
import type { Outlet, Wire } from './wire';

const EVENTS_PER_SECOND = 100;
/** However many events: the pace is raised so that publishing takes no longer. */
const LONGEST_SECONDS = 30;
const TICK_MS = 20;
/** After a pause (a busy machine) the pace is made up for gently: a burst would be another demo. */
const CATCH_UP = 2;

export interface PublisherOptions {
  readonly wire: Wire;
  readonly events: number;
  readonly publications: Publications;
}

/** Publishes as the core API does. */
export class Publisher {
  /** Events that the broker has confirmed. */
  confirmed = 0;
  private readonly supply = new EventSupply();
  private sent = 0;

  constructor(private readonly options: PublisherOptions) {}

  get samples(): number {
    return this.supply.samples;
  }

  async publishAll(signal: AbortSignal): Promise<void> {
    const { wire, events } = this.options;
    const outlet = await wire.open();
    try {
      const pace = Math.max(EVENTS_PER_SECOND, events / LONGEST_SECONDS) / 1000;
      const start = performance.now();
      while (this.sent < events) {
        const onTime = Math.ceil((performance.now() - start) * pace);
        const due = Math.min(events, onTime, this.sent + Math.ceil(TICK_MS * pace * CATCH_UP));
        while (this.sent < due) this.publish(outlet);
        await delay(TICK_MS, undefined, { signal });
      }
      await outlet.taken();
    } finally {
      await outlet.close();
    }
  }

  private publish(outlet: Outlet): void {
    this.sent++;
    const event = this.options.wire.carry(this.supply.next());
    this.options.publications.add(event);
    outlet.publish(event, this.sent, () => {
      this.confirmed++;
    });
  }
}
