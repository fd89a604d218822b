import type { SourceMessage } from '../pipeline/message';

/** A broker adapter that yields messages. */
export interface Source {
  readonly name: string;
  /** Begins to yield, now or whenever the broker can be reached; resolves at once where it must be waited for. */
  start(onMessage: (message: SourceMessage) => void): Promise<void>;
  /** Asks for no more; what was handed over may still be settled. */
  stopIntake(): Promise<void>;
  /** Sends what was settled, gives everything else back, and disconnects. */
  close(): Promise<void>;
  /** Whether messages can come in right now, and if not, why. */
  readonly state: { readonly ready: boolean; readonly detail: string };
  /** What was handed over and is not settled, or takes room in other ways. */
  readonly held: { readonly messages: number; readonly bytes: number };
}
