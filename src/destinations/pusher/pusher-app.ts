import type { Pool } from 'undici';
import type { Outcome } from '../../pipeline/delivery';
import { HttpExchange, type HttpResult } from '../http/exchange';
import { Batcher } from './batcher';
import { occupiedChannels } from './channels';
import { toPusherOutcome } from './pusher-answer';
import { type AppCredentials, AppSigner } from './signer';

export interface PusherAppOptions {
  readonly masterKey: string;
  readonly lingerMs: number;
  readonly timeoutMs: number;
  /** Requests at once. */
  readonly maxRequests: number;
  /** Before what is over quota is tried again. */
  readonly longDelayMs: number;
}

const BATCH = '/batch_events';
const asItIs = (result: HttpResult): HttpResult => result;

/** One app at Pusher: everything that goes to it, from whatever instance, shares its requests. */
export class PusherApp {
  readonly signer: AppSigner;
  readonly batcher: Batcher;

  constructor(
    readonly credentials: AppCredentials,
    /** Others may send over it, too. */
    private readonly client: Pool,
    private readonly options: PusherAppOptions,
  ) {
    this.signer = new AppSigner(credentials, options.masterKey);
    this.batcher = new Batcher({
      send: (body) => this.send(body),
      toOutcome: (result) => this.toOutcome(result),
      lingerMs: options.lingerMs,
      timeoutMs: options.timeoutMs,
      maxRequests: options.maxRequests,
    });
  }

  /** Names of its channels that somebody subscribes to. */
  occupiedChannels(prefix: string): Promise<string[]> {
    return occupiedChannels(this.client, this.signer, prefix);
  }

  close(): Promise<void> {
    return this.client.destroy();
  }

  private toOutcome(result: HttpResult): Outcome {
    return toPusherOutcome(result, this.options.longDelayMs);
  }

  private send(body: Buffer): HttpExchange<HttpResult> {
    const { signer } = this;
    const request = { path: signer.signedPath('POST', BATCH, body), headers: signer.headers, body };
    return new HttpExchange(this.client, request, asItIs);
  }
}
