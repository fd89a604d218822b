/** Messages that were received between two moments at which something changed. */
export interface Epoch {
  readonly number: number;
  /** Of those, messages that are held. */
  open: number;
}

/** Tells messages that were received before something was known from those that came afterwards. */
export class Epochs {
  private present: Epoch = { number: 0, open: 0 };
  /** Of earlier ones, those with messages that are held. */
  private earlier: Epoch[] = [];

  get number(): number {
    return this.present.number;
  }

  /** Something is known from now on: messages that come belong to another epoch, whose number this is. */
  advance(): number {
    this.earlier = [...this.earlier, this.present].filter(({ open }) => open > 0);
    this.present = { number: this.present.number + 1, open: 0 };
    return this.present.number;
  }

  begin(): Epoch {
    this.present.open++;
    return this.present;
  }

  end(epoch: Epoch): void {
    epoch.open--;
  }

  /** Whether all messages that were received before that epoch are settled. */
  isSettledBefore(number: number): boolean {
    return this.earlier.every((epoch) => epoch.number >= number || epoch.open === 0);
  }
}
