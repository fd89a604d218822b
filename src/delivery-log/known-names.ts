import { fingerprint } from './fingerprint';
import { COMMON_NAMES } from './row-format';

/** A name as rows have it, and by what it is found. */
export interface KnownName {
  readonly bytes: Buffer;
  readonly print: number;
  /** One of COMMON_NAMES: every block knows it by `place`. */
  readonly isCommon: boolean;
  /** The block that knows it by `place`. */
  block: number;
  place: number;
}

const MOST_KNOWN = 8192;
const PLACES: ReadonlyMap<string, number> = new Map(COMMON_NAMES.map((name, place) => [name, place]));

/** Names that come again and again. */
export class KnownNames {
  private readonly known = new Map<string, KnownName>();

  /** `wanted` is what a name is looked for by. */
  constructor(private readonly wanted: (name: string) => string = (name) => name) {}

  get(name: string): KnownName {
    return this.known.get(name) ?? this.learn(name);
  }

  private learn(name: string): KnownName {
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    const json = JSON.stringify(name).slice(1, -1);
    // Of its own: `Buffer.from` would take it out of eight kilobytes that it shares with what is soon forgotten.
    const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
    bytes.write(json);
    const place = PLACES.get(name);
    const print = fingerprint(this.wanted(name));
    const learnt = { bytes, print, isCommon: place !== undefined, block: 0, place: place ?? 0 };
    this.known.set(name, learnt);
    return learnt;
  }
}
