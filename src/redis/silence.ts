/** What a socket has moved so far, in bytes. */
export interface Traffic {
  readonly read: number;
  /** Handed to the socket, sent or not. */
  readonly written: number;
  /** Handed to the socket and not sent yet. */
  readonly unsent: number;
}

/**
 * Judges whether a peer has gone silent: something was asked of it and no byte came back for `limitMs`. Sending on
 * counts as life while there is something left to send, so that a large body on a slow line is not taken for silence.
 */
export class Silence {
  private last: Traffic = { read: 0, written: 0, unsent: 0 };
  /** Bytes that had been written when the peer was last heard. */
  private writtenWhenHeard = 0;
  private silentMs = 0;

  constructor(private readonly limitMs: number) {}

  /**
   * Looks at the socket again.
   *
   * @param elapsedMs since the look before; no more than the process was able to notice an answer in
   * @returns whether the peer is silent for too long
   */
  observe(now: Traffic, elapsedMs: number): boolean {
    const { last } = this;
    this.last = now;
    if (now.read !== last.read) {
      this.writtenWhenHeard = now.written;
      this.silentMs = 0;
      return false;
    }
    const isSendingOn = last.unsent > 0 && now.written - now.unsent > last.written - last.unsent;
    if (now.written <= this.writtenWhenHeard || isSendingOn) this.silentMs = 0;
    else this.silentMs += elapsedMs;
    return this.silentMs >= this.limitMs;
  }
}
