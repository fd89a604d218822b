/**
 * Judges whether a peer has gone silent: something was asked of it and no byte came back for `limitMs`. Sending on
 * counts as life while there is something left to send, so that a large body on a slow line is not taken for silence.
 */
export class Silence {
  /** Bytes that had been written when the peer was last heard. */
  private answered = 0;
  private sent = 0;
  private unsent = 0;
  private silentMs = 0;

  constructor(private readonly limitMs: number) {}

  /**
   * The peer said something.
   *
   * @param written bytes handed to the socket so far
   * @returns for how long it had owed an answer, in milliseconds
   */
  hear(written: number): number {
    const owedMs = this.silentMs;
    this.answered = written;
    this.silentMs = 0;
    return owedMs;
  }

  /**
   * Looks at the socket again.
   *
   * @param written bytes handed to the socket so far, `unsent` of which wait in it
   * @param elapsedMs since the look before; no more than the process was able to notice an answer in
   * @returns whether the peer is silent for too long
   */
  look(written: number, unsent: number, elapsedMs: number): boolean {
    const isSendingOn = this.unsent > 0 && written - unsent > this.sent;
    this.sent = written - unsent;
    this.unsent = unsent;
    if (written <= this.answered || isSendingOn) this.silentMs = 0;
    else this.silentMs += elapsedMs;
    return this.silentMs >= this.limitMs;
  }
}
