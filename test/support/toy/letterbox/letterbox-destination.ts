import type { Pool } from 'undici';
import { toOutcome } from '../../../../src/destinations/http/answer';
import { HttpExchange, type HttpResult } from '../../../../src/destinations/http/exchange';
import { sharesOf } from '../../../../src/destinations/shares-of';
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
}

const REJECTED: ReadonlySet<number> = new Set([404, 422]);
const MAX_ATTEMPTS = 3;
const MAX_SHARE = 0.25;

/** Posts each event to a path that ends with the delivery's id. */
export class LetterboxDestination implements Destination {
  readonly kind = 'letterbox';
  readonly id: DestinationId;
  readonly maxAttempts = MAX_ATTEMPTS;
  readonly timeoutMs: number;
  readonly shares: readonly Share[];
  private readonly path: string;
  private readonly headers: string[];

  constructor(
    { id, url, password, timeoutMs }: LetterboxTarget,
    private readonly client: Pool,
  ) {
    this.id = id;
    this.shares = sharesOf(id, MAX_SHARE);
    this.timeoutMs = timeoutMs;
    this.path = new URL(url).pathname.replace(/\/$/, '');
    this.headers = password === undefined ? [] : ['x-password', password];
  }

  start({ id, envelope }: Delivery): RunningAttempt {
    const request = {
      path: `${this.path}/${id}`,
      headers: this.headers,
      body: composeBody(envelope, { stripApikey: true }),
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
