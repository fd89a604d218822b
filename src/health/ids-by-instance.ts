import { instanceOf } from '../destinations/destination-ids';
import type { DestinationId } from '../pipeline/delivery';

/** Destinations by the instance whose own they are: of thousands, those of one are found without looking at the others. */
export class IdsByInstance {
  private readonly ids = new Map<string, Set<DestinationId>>();

  add(id: DestinationId): void {
    const instance = instanceOf(id);
    if (instance === undefined) return;
    const own = this.ids.get(instance);
    if (own === undefined) this.ids.set(instance, new Set([id]));
    else own.add(id);
  }

  delete(id: DestinationId): void {
    const instance = instanceOf(id);
    const own = instance === undefined ? undefined : this.ids.get(instance);
    if (instance === undefined || own?.delete(id) !== true) return;
    if (own.size === 0) this.ids.delete(instance);
  }

  of(instance: string): readonly DestinationId[] {
    return [...(this.ids.get(instance) ?? [])];
  }
}
