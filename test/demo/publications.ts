import { createHash } from 'node:crypto';

/** What tells one event from another, with every byte of `data`. */
export interface Identity {
  readonly event: string;
  readonly instance: string;
  readonly dateTime: string;
  readonly data: Buffer;
}

/** What was published, and when: the measure of everything that is received. */
export class Publications {
  private readonly times = new Map<string, number>();
  private readonly instances = new Map<string, string>();

  add(event: Identity): void {
    const key = keyOf(event);
    this.times.set(key, performance.now());
    this.instances.set(key, event.instance);
  }

  /** Keys of an instance's events that were published at `time` or later, by `performance.now`. */
  since(instance: string, time: number): string[] {
    const later = [...this.times].filter(([, published]) => published >= time);
    return later.map(([key]) => key).filter((key) => this.instances.get(key) === instance);
  }

  /** The event's key and its age; undefined where nothing like it was published, be it one byte of `data`. */
  find(event: Identity): { readonly key: string; readonly ageMs: number } | undefined {
    const key = keyOf(event);
    const time = this.times.get(key);
    return time === undefined ? undefined : { key, ageMs: performance.now() - time };
  }
}

function keyOf({ event, instance, dateTime, data }: Identity): string {
  const names = JSON.stringify([event, instance, dateTime]);
  return createHash('sha256').update(names).update(data).digest('base64url');
}
