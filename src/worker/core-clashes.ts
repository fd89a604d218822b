import { LRUCache } from 'lru-cache';
import type { Envelope } from '../events/envelope';
import type { Logger } from '../observability/logging';

/** Instances of evolution-go that are remembered. */
const MAX_INSTANCES = 10_000;

/** Warns the operator, once for each, of instances of one name at both cores (docs/evolution-go.md#both-cores-with-an-instance-of-one-name). */
export class CoreClashes {
  /** Those of evolution-go, and whether the operator was told. */
  private readonly ofGo = new LRUCache<string, boolean>({ max: MAX_INSTANCES });

  constructor(private readonly log: Pick<Logger, 'warn'>) {}

  look({ core, instance }: Pick<Envelope, 'core' | 'instance'>): void {
    if (core === 'go') {
      if (!this.ofGo.has(instance)) this.ofGo.set(instance, false);
      return;
    }
    if (this.ofGo.size === 0 || this.ofGo.get(instance) !== false) return;
    this.ofGo.set(instance, true);
    this.log.warn(
      'both cores have an instance of this name: to the relay it is one, with the same settings',
      {
        instance,
        code: 'INSTANCE_OF_BOTH_CORES',
        remedy: 'give one of them another name, unless they are meant to be one',
      },
    );
  }
}
