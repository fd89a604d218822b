/** Levels of nesting that room is kept for. */
const USUAL_DEPTH = 4096;

/**
 * The closing byte of each container that is open, innermost last. One for all values, as they are scanned one after the
 * other. A level costs one byte, so that however deep a body is nested, it takes less memory than the body.
 */
export class OpenContainers {
  private closings = new Uint8Array(USUAL_DEPTH);
  private depth = 0;
  /** 0 where none is open. A field of its own, as it is read for each value and changes for each container. */
  innermost = 0;

  push(closing: number): void {
    if (this.depth === this.closings.length) this.grow();
    this.closings[this.depth++] = closing;
    this.innermost = closing;
  }

  pop(): void {
    this.depth--;
    this.innermost = this.depth === 0 ? 0 : (this.closings[this.depth - 1] as number);
  }

  /** For the next value; what an unusual one took is given back. */
  clear(): void {
    this.depth = 0;
    this.innermost = 0;
    if (this.closings.length > USUAL_DEPTH) this.closings = new Uint8Array(USUAL_DEPTH);
  }

  private grow(): void {
    const larger = new Uint8Array(this.closings.length * 2);
    larger.set(this.closings);
    this.closings = larger;
  }
}
