export interface TermGateParts {
  /** Reads how things stand; resolves to whether it is known now. */
  readonly refresh: () => Promise<boolean>;
  /** It is known, and the first message of a term is about to be handed over. */
  readonly onReady: () => void;
}

/**
 * | state     | messages of its term  | ends with                                                                     |
 * |-----------|-----------------------|-------------------------------------------------------------------------------|
 * | preparing | wait, in their order  | an answer: ready; another term: preparing anew, without what waited; the stop |
 * | ready     | are handed over       | another term: preparing; the stop                                             |
 * | stopped   | are handed over       | nothing: no other term begins                                                 |
 *
 * Without a term there are no messages that could be its own.
 */
type GateState =
  | { readonly kind: 'preparing'; readonly term: object; readonly early: (() => void)[] }
  | { readonly kind: 'ready' | 'stopped'; readonly term: object | undefined };

const ASK_AGAIN_MS = 200;

/**
 * Holds back what comes by the ordered queue until this worker knows at least as much as the one that had the queue before.
 * A term is one time of having it: messages of an earlier one went back with its channel.
 */
export class TermGate {
  private state: GateState = { kind: 'ready', term: undefined };

  constructor(private readonly parts: TermGateParts) {}

  take(term: object, handOver: () => void): void {
    if (this.state.term !== term && this.state.kind !== 'stopped') this.begin(term);
    const { state } = this;
    if (state.term !== term) return;
    if (state.kind === 'preparing') state.early.push(handOver);
    else handOver();
  }

  /** What waits is not handed over any more: it goes back with its channel. */
  stop(): void {
    const { kind, term } = this.state;
    this.state = { kind: 'stopped', term: kind === 'preparing' ? undefined : term };
  }

  private begin(term: object): void {
    const preparing: GateState = { kind: 'preparing', term, early: [] };
    this.state = preparing;
    void this.prepare(preparing);
  }

  private async prepare(preparing: GateState & { readonly kind: 'preparing' }): Promise<void> {
    while (this.state === preparing) {
      if (await this.parts.refresh()) return this.open(preparing);
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }

  private open(preparing: GateState & { readonly kind: 'preparing' }): void {
    if (this.state !== preparing) return;
    this.parts.onReady();
    this.state = { kind: 'ready', term: preparing.term };
    for (const handOver of preparing.early) handOver();
  }
}
