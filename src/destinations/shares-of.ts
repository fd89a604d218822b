import type { DestinationId } from '../pipeline/delivery';
import type { Share } from '../pipeline/places';
import { instanceOf } from './destination-ids';

/**
 * With whom the deliveries of a destination share places: those of an instance with all of that instance, with all that
 * the same host receives, and with those of all instances, which leave a part to the global destinations. A global
 * destination shares with itself only.
 *
 * @param part of the places that one of them may hold while others are active
 * @param origin of the host that receives, where one does
 */
export function sharesOf(id: DestinationId, part: number, origin?: string): readonly Share[] {
  const instance = instanceOf(id);
  if (instance === undefined) return [{ key: id, part }];
  const own: readonly Share[] = [
    { key: `instance ${instance}`, part },
    { key: 'instances', part: Math.max(part, 1 - part), isOfAll: true },
  ];
  return origin === undefined ? own : [...own, { key: `origin ${origin}`, part }];
}
