import type { Pool } from 'undici';
import { toOutcome } from '../../../../src/destinations/http/answer';
import { HttpExchange, type HttpResult } from '../../../../src/destinations/http/exchange';
import { composeBody } from '../../../../src/events/body';
import type {
  Delivery,
  Destination,
  DestinationId,
  Outcome,
  RunningAttempt,
} from '../../../../src/pipeline/delivery';
import type { Share } from '../../../../src/pipeline/places';

export interface LetterboxTarget {
  readonly id: DestinationId;
  readonly url: string;
  readonly password: string | undefined;
  readonly timeoutMs: number;
  readonly maxAttempts: number;
  readonly stripApikey: boolean;
  readonly shares: readonly Share[];
  /** Left out where all workers have it from the same place. */
  readonly address?: string;
}

const REJECTED: ReadonlySet<number> = new Set([404, 422]);

/** Posts each event to a path that ends with the delivery's id. */
export class LetterboxDestination implements Destination {
  readonly kind = 'letterbox';
  readonly id: DestinationId;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly shares: readonly Share[];
  readonly address?: string;
  private readonly path: string;
  private readonly headers: string[];

  constructor(
    private readonly target: LetterboxTarget,
    private readonly client: Pool,
  ) {
    const { url, password } = target;
    this.id = target.id;
    this.maxAttempts = target.maxAttempts;
    this.timeoutMs = target.timeoutMs;
    this.shares = target.shares;
    if (target.address !== undefined) this.address = target.address;
    this.path = new URL(url).pathname.replace(/\/$/, '');
    this.headers = password === undefined ? [] : ['x-password', password];
  }

  start({ id, envelope }: Delivery): RunningAttempt {
    const request = {
      path: `${this.path}/${id}`,
      headers: this.headers,
      body: composeBody(envelope, { stripApikey: this.target.stripApikey }),
    };
    return new HttpExchange(this.client, request, judgeLetter);
  }

  close(): Promise<void> {
    return this.client.destroy();
  }
}

function judgeLetter(result: HttpResult): Outcome {
  return toOutcome(result, REJECTED, Date.now());
}
