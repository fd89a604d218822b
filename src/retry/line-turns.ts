import type { Share } from '../pipeline/places';
import type { HeldPlaces } from './held-places';

/** A line that something may be begun of. */
export interface Candidate {
  readonly key: string;
  /** How much. */
  readonly room: number;
  readonly shares: readonly Share[];
}

export interface TurnsParts {
  readonly candidates: readonly Candidate[];
  readonly held: HeldPlaces;
  /** How many there may be others of, of which nothing is known yet: then nobody is alone. */
  readonly isCrowd: boolean;
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

  constructor(private readonly parts: TurnsParts) {
    for (const each of parts.candidates) {
      const name = each.shares[0]?.key ?? '';
      const lines = this.groups.get(name) ?? [];
      this.groups.set(name, lines);
      lines.push({ ...each, left: each.room });
    }
    this.alone = aloneOf(parts);
  }

  /**
   * Whether all `most` were found.
   *
   * @param free places in all
   */
  take(most: number, free: number): boolean {
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
    return false;
  }

  /** A line whose groups may not have more now may not later in the same choice. */
  private firstOf(lines: Standing[], free: number): Standing | undefined {
    for (let line = lines.shift(); line !== undefined; line = lines.shift())
      if (line.shares.every((share) => this.mayHaveMore(share, free))) return line;
    return undefined;
  }

  private mayHaveMore(share: Share, free: number): boolean {
    const { key } = share;
    return this.alone.has(key) || this.parts.held.mayHaveMore(share, this.wished.get(key) ?? 0, free);
  }

  private wish({ key, shares }: Standing): void {
    this.wishes.set(key, (this.wishes.get(key) ?? 0) + 1);
    for (const share of shares) this.wished.set(share.key, (this.wished.get(share.key) ?? 0) + 1);
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
