import type { Socket } from 'node:net';
import { monotonicMs } from '../time/monotonic';

/** How long what is read may hold the event loop in one of its turns. */
const SLICE_MS = 10;

/**
 * A turn of the event loop serves every socket that has something to read, and each may bring a chunk of 64 KB: a thousand of
 * them at once would keep everybody else waiting for seconds. Once a slice is used up, all sockets wait for the next turn;
 * those that were served go behind those that were not, and the others follow by address, one of each, the newest first.
 */
export class FairReads {
  /** Since when this turn has been reading. */
  private begunAt: number | undefined;
  private readonly served = new Set<Socket>();
  private held: readonly Socket[] = [];

  /**
   * @param sockets all that may be read from, in the order in which they come next
   * @param now milliseconds of a monotonic clock
   */
  constructor(
    private readonly sockets: () => Iterable<Socket>,
    private readonly now: () => number = monotonicMs,
  ) {}

  /** Something of this socket was read, and is being worked on. */
  note(socket: Socket): void {
    this.served.add(socket);
    const now = this.now();
    if (this.begunAt === undefined) {
      this.begunAt = now;
      setImmediate(() => this.nextTurn());
    } else if (now - this.begunAt > SLICE_MS && this.held.length === 0) this.hold();
  }

  private hold(): void {
    const reading = [...this.sockets()].filter(isRead);
    for (const socket of reading) socket.pause();
    this.held = reading;
  }

  private nextTurn(): void {
    const { held, served } = this;
    this.held = [];
    this.begunAt = undefined;
    for (const socket of held) if (!served.has(socket)) resume(socket);
    for (const socket of held) if (served.has(socket)) resume(socket);
    served.clear();
  }
}

/** Others were paused by their reader, or have none yet: what came of them would be lost. */
function isRead({ readableFlowing, destroyed }: Socket): boolean {
  return readableFlowing === true && !destroyed;
}

/** Upgraded meanwhile, a socket waits for its new reader. */
function resume(socket: Socket): void {
  if (socket.readableFlowing === false && !socket.destroyed) socket.resume();
}
