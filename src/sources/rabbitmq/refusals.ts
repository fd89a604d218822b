import type { Logger } from '../../observability/logging';
import type { Obstacle } from './declare';

/** Something that is left out while everything else is consumed. */
export interface Refused extends Obstacle {
  /** Set where it belongs to one instance. */
  readonly instance?: string;
  /** Without it the worker does not get what it is configured for. */
  readonly isEssential: boolean;
}

/** Shown in `state` and by the source: there may be one for each instance. */
const SHOWN = 100;

/** What the broker refuses at present. Each is logged once, until it changes or is put right. */
export class Refusals {
  private readonly present = new Map<string, readonly Refused[]>();

  constructor(private readonly log: Logger) {}

  get size(): number {
    return this.present.size;
  }

  get first(): readonly Refused[] {
    const shown: Refused[] = [];
    for (const each of this.present.values()) {
      shown.push(...each.slice(0, SHOWN - shown.length));
      if (shown.length >= SHOWN) break;
    }
    return shown;
  }

  /** What keeps the source from doing what it is for. */
  get essential(): Refused | undefined {
    for (const each of this.present.values()) {
      const essential = each.find(({ isEssential }) => isEssential);
      if (essential !== undefined) return essential;
    }
    return undefined;
  }

  /** @param owner what was tried: what is refused of it now takes the place of what was before */
  set(owner: string, refused: readonly Refused[]): void {
    const before = this.present.get(owner) ?? [];
    if (refused.length === 0) this.present.delete(owner);
    else this.present.set(owner, refused);
    for (const each of refused) {
      if (!before.some(({ what, code }) => what === each.what && code === each.code)) this.announce(each);
    }
    for (const each of before) {
      if (!refused.some(({ what }) => what === each.what))
        this.log.info('rabbitmq: no longer refused', fieldsOf(each));
    }
  }

  /** It is not wanted any more. */
  forget(owner: string): void {
    this.present.delete(owner);
  }

  private announce(refused: Refused): void {
    const { instance, code, text, what } = refused;
    const fields = { ...fieldsOf(refused), code, error: `${what}: ${text}` };
    if (instance !== undefined) this.log.error('instance left out', fields);
    else this.log.error('rabbitmq refuses a queue or an exchange', fields);
  }
}

function fieldsOf({ what, instance }: Refused): Record<string, unknown> {
  return instance === undefined ? { what } : { what, instance };
}
