/** Of a request, what shows whether its body is waited for. */
export interface WatchedRequest {
  /** The whole body came. */
  readonly complete: boolean;
  /** False where nobody reads the body: the peer can do nothing about it then. */
  readonly readableFlowing: boolean | null;
}

/** What the socket counts: bytes that came, bytes handed to it, and those of them that the peer did not take yet. */
export interface WatchedSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writableLength: number;
}

/** Longest without an end, for a request that showed no key: nobody reads the answer, or it never comes. */
const STRANGER_MS = 40_000;
/** A client that leaves an answer unread for as long is gone. */
const UNREAD_MS = 30_000;
/** Bytes of a body that must come between two looks at it, once it has been coming for a while. */
const MIN_PROGRESS_BYTES = 1024;
const GRACE_MS = 5000;

/** Finds out whether the peer of one connection makes progress: what Node.js has no time limit for. */
export class ConnectionWatch {
  /** Under way, the oldest first. */
  private readonly requests = new Set<WatchedRequest>();
  private isUpgraded = false;
  private busySince = 0;
  private bytesRead = 0;
  private bytesTaken = 0;
  private takenSince: number;

  constructor(now: number) {
    this.takenSince = now;
  }

  get requestsUnderWay(): number {
    return this.requests.size;
  }

  begin(request: WatchedRequest, now: number): void {
    if (this.requests.size === 0) this.busySince = now;
    this.requests.add(request);
  }

  /** False where it had ended before. */
  end(request: WatchedRequest): boolean {
    return this.requests.delete(request);
  }

  upgrade(now: number): void {
    this.isUpgraded = true;
    this.busySince = now;
  }

  /** Called on an interval: why the connection is to be ended, if it is. */
  faultOf(socket: WatchedSocket, isKnown: boolean, now: number): 'slow' | 'unread' | undefined {
    const read = socket.bytesRead - this.bytesRead;
    this.bytesRead = socket.bytesRead;
    const taken = socket.bytesWritten - socket.writableLength;
    if (taken !== this.bytesTaken || socket.writableLength === 0) this.takenSince = now;
    this.bytesTaken = taken;
    if (this.requests.size === 0 && !this.isUpgraded) return undefined;
    const busyMs = now - this.busySince;
    if (busyMs > STRANGER_MS && !isKnown) return 'slow';
    // Upgraded connections have limits of their own for what is not read.
    if (this.isUpgraded) return undefined;
    if (now - this.takenSince > UNREAD_MS) return 'unread';
    const [request] = this.requests;
    const isAwaited = request?.complete === false && request.readableFlowing === true;
    return isAwaited && busyMs > GRACE_MS && read < MIN_PROGRESS_BYTES ? 'slow' : undefined;
  }
}
