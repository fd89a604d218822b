/** Rows of one chunk, the newest first, each with its time. */
export interface TimedRows {
  readonly rows: readonly number[];
  /** Never rising. */
  readonly times: readonly number[];
}

/**
 * Rows of many chunks by their time, the newest first, in batches: of this many rows and this many chunks at the most, so that
 * a batch can be read at once. Within a batch rows of one chunk that follow each other are together.
 */
export function* mergedRows<Hit extends TimedRows>(
  hits: readonly Hit[],
  mostChunks: number,
  mostRows: number,
): Generator<Hit[]> {
  let batch: Hit[] = [];
  let chunks = new Set<Hit>();
  let held = 0;
  for (const { hit, from, to } of runsOf(hits)) {
    if (held >= mostRows || (chunks.size >= mostChunks && !chunks.has(hit))) {
      yield batch;
      [batch, chunks, held] = [[], new Set(), 0];
    }
    batch.push({ ...hit, rows: hit.rows.slice(from, to), times: hit.times.slice(from, to) });
    chunks.add(hit);
    held += to - from;
  }
  if (batch.length > 0) yield batch;
}

interface Run<Hit> {
  readonly hit: Hit;
  readonly from: number;
  readonly to: number;
}

/** Rows of one chunk that no row of another one comes between. */
function* runsOf<Hit extends TimedRows>(hits: readonly Hit[]): Generator<Run<Hit>> {
  const waiting = new Heads(hits);
  for (let head = waiting.take(); head !== undefined; head = waiting.take()) {
    const { hit, from } = head;
    const bound = waiting.newest;
    let to = from + 1;
    while (to < hit.rows.length && (hit.times[to] ?? 0) >= bound) to++;
    yield { hit, from, to };
    if (to < hit.rows.length) waiting.add({ hit, from: to });
  }
}

interface Head<Hit> {
  readonly hit: Hit;
  readonly from: number;
}

/** What is left of each chunk: a binary heap, the newest on top. */
class Heads<Hit extends TimedRows> {
  private readonly heap: Head<Hit>[] = [];

  constructor(hits: readonly Hit[]) {
    for (const hit of hits) this.add({ hit, from: 0 });
  }

  get newest(): number {
    return this.timeAt(0);
  }

  add(head: Head<Hit>): void {
    const { heap } = this;
    let place = heap.push(head) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.timeAt(above) >= this.timeAt(place)) return;
      this.swap(above, place);
      place = above;
    }
  }

  take(): Head<Hit> | undefined {
    const { heap } = this;
    const [top] = heap;
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    heap[0] = last;
    let place = 0;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const below = this.timeAt(right) > this.timeAt(left) ? right : left;
      if (this.timeAt(below) <= this.timeAt(place)) return top;
      this.swap(below, place);
      place = below;
    }
  }

  private timeAt(place: number): number {
    const head = this.heap[place];
    return head === undefined ? -1 : (head.hit.times[head.from] ?? 0);
  }

  private swap(one: number, other: number): void {
    const { heap } = this;
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    [heap[one], heap[other]] = [second, first];
  }
}
