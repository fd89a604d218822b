import { fingerprint } from './fingerprint';

/** A name as lines have it, and by what it is found. */
export interface KnownName {
  readonly bytes: Buffer;
  readonly print: number;
}

const MOST_KNOWN = 8192;

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
    const bytes = Buffer.from(JSON.stringify(name).slice(1, -1));
    const learnt = { bytes, print: fingerprint(this.wanted(name)) };
    this.known.set(name, learnt);
    return learnt;
  }
}
