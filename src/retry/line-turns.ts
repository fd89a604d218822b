import type { CommonRoom, Share } from '../pipeline/places';
import type { HeldPlaces } from './held-places';

/** A line that something may be begun of. */
export interface Candidate {
  readonly key: string;
  /** How much. */
  readonly room: number;
  readonly shares: readonly Share[];
  /** What it has in common with others, who may take it first. */
  readonly common: readonly CommonRoom[];
}

export interface TurnsParts {
  readonly candidates: readonly Candidate[];
  readonly held: HeldPlaces;
  /** How many there may be others of, of which nothing is known yet: then nobody is alone. */
  readonly isCrowd: boolean;
  /** How much of what several have in common is used by what was chosen before, by its name. */
  readonly begun: ReadonlyMap<string, number>;
}

interface Standing extends Candidate {
  left: number;
}

/** One choice: in turns among instances, and among the destinations of one. */
export class LineTurns {
  readonly wishes = new Map<string, number>();
  private readonly wished = new Map<string, number>();
  private readonly groups = new Map<string, Standing[]>();
  /** Groups with which nobody shares now: these may have all. */
  private readonly alone: ReadonlySet<string>;
  /** Of what several have in common, by its name. */
  private readonly used: Map<string, number>;
  private isAllUsed = false;
  /** For retries in all, held and free. */
  private places = 0;

  constructor(private readonly parts: TurnsParts) {
    for (const each of parts.candidates) {
      const name = each.shares[0]?.key ?? '';
      const lines = this.groups.get(name) ?? [];
      this.groups.set(name, lines);
      // No spread: of each object that V8 makes by one with a further member some 200 bytes become old.
      const { key, room, shares, common } = each;
      lines.push({ key, room, shares, common, left: room });
    }
    this.alone = aloneOf(parts);
    this.used = new Map(parts.begun);
  }

  /**
   * Whether all `most` were found, or no more may begin.
   *
   * @param free places in all
   */
  take(most: number, free: number): boolean {
    this.places = this.parts.held.count + free;
    let taken = 0;
    for (let served = true; served; ) {
      served = false;
      for (const lines of this.groups.values()) {
        if (taken >= most) return true;
        const line = this.firstOf(lines, free - taken);
        if (line === undefined) continue;
        this.wish(line);
        if (--line.left > 0) lines.push(line);
        taken++;
        served = true;
      }
    }
    return this.isAllUsed;
  }

  /** A line whose groups may not have more now may not later in the same choice. */
  private firstOf(lines: Standing[], free: number): Standing | undefined {
    for (let line = lines.shift(); line !== undefined; line = lines.shift())
      if (this.isLeft(line) && line.shares.every((share) => this.mayHaveMore(share, free))) return line;
    return undefined;
  }

  private isLeft({ common }: Standing): boolean {
    const used = common.find(({ key, left }) => (this.used.get(key) ?? 0) >= left);
    if (used?.key === '') this.isAllUsed = true;
    return used === undefined;
  }

  private mayHaveMore(share: Share, free: number): boolean {
    const { key } = share;
    const wished = this.wished.get(key) ?? 0;
    return this.alone.has(key) || this.parts.held.mayHaveMore(share, wished, free, this.places);
  }

  private wish({ key, shares, common }: Standing): void {
    addOne(this.wishes, key);
    for (const share of shares) addOne(this.wished, share.key);
    for (const each of common) addOne(this.used, each.key);
  }
}

function aloneOf({ candidates, held, isCrowd }: TurnsParts): ReadonlySet<string> {
  if (isCrowd) return new Set();
  const [first, ...others] = candidates.map(({ shares }) => shares);
  const common = (first ?? []).filter(({ key }) =>
    others.every((shares) => shares.some((share) => share.key === key)),
  );
  return new Set(common.filter((share) => held.holdsAll(share)).map(({ key }) => key));
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
