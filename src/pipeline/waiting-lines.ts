import { LastingMap } from '../lasting-map';
import type { Bulkhead } from './bulkhead';
import type { DestinationId } from './delivery';
import { Line } from './line';
import type { Places } from './places';

/**
 * The lines of all destinations; those in which something waits take turns. They are linked, not in the order of a Map: lines are moved
 * with every attempt that ends, up to dozens of them, and V8 would make the Map's table anew each time.
 */
export class WaitingLines {
  private readonly known = new LastingMap<DestinationId, Line>(({ first }) => first === undefined);
  /** The one whose turn is next, in a ring. */
  private next: Line | undefined;
  private count = 0;

  constructor(private readonly places: Places) {}

  /** How many take turns. */
  get size(): number {
    return this.count;
  }

  get first(): Line | undefined {
    return this.next;
  }

  get(id: DestinationId): Line | undefined {
    return this.known.get(id);
  }

  /** In the order of their turns. */
  all(): Line[] {
    const all: Line[] = [];
    for (let each = this.next; each !== undefined; each = each.behind === this.next ? undefined : each.behind)
      all.push(each);
    return all;
  }

  /** The line of a destination, which takes turns from now on: something is to wait in it. */
  join(id: DestinationId, bulkhead: Bulkhead): Line {
    let line = this.known.get(id);
    // While nothing is under way to a destination its bulkhead may be forgotten.
    if (line === undefined || (line.first === undefined && line.bulkhead !== bulkhead)) {
      if (line !== undefined) this.remove(line);
      line = new Line(id, bulkhead, this.places);
      this.known.set(id, line);
    }
    if (line.behind === undefined) this.append(line);
    return line;
  }

  /** Nothing waits in it any more. */
  remove(line: Line): void {
    const { before, behind } = line;
    if (before === undefined || behind === undefined) return;
    this.count--;
    if (this.next === line) this.next = behind === line ? undefined : behind;
    before.behind = behind;
    behind.before = before;
    line.before = undefined;
    line.behind = undefined;
  }

  /** Behind the others. */
  moveBack(line: Line): void {
    if (this.next === line) this.next = line.behind;
    else {
      this.remove(line);
      this.append(line);
    }
  }

  private append(line: Line): void {
    this.count++;
    const first = this.next ?? line;
    const last = first.before ?? line;
    line.before = last;
    line.behind = first;
    last.behind = line;
    first.before = line;
    this.next = first;
  }
}
