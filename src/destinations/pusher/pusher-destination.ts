import { type BodyOptions, composeBody } from '../../events/body';
import type { Normalise } from '../../events/normalise';
import type {
  Delivery,
  Destination,
  DestinationId,
  Endpoint,
  Outcome,
  RunningAttempt,
} from '../../pipeline/delivery';
import type { Limits } from '../../pipeline/destination-limits';
import type { Share } from '../../pipeline/places';
import type { BatchEvent } from './batch-entry';
import type { PusherApp } from './pusher-app';
import { eventNameProblem, instanceNameProblem, isEncryptedChannel } from './pusher-names';
import { encryptedLength } from './signer';

/** Settings of one destination. */
export interface PusherTarget {
  readonly id: DestinationId;
  readonly appId: string;
  readonly endpoint: Endpoint;
  readonly maxAttempts: number;
  readonly shares: readonly Share[];
  readonly limits: Limits;
  /** What is written in another form than it came. */
  readonly normalise?: Normalise | undefined;
  /** Left out where all workers have it from the same place. */
  readonly address?: string;
}

/** Parts that all Pusher destinations share. */
export interface PusherOptions {
  readonly stripApikey: boolean;
  readonly channelPrefix: string;
  /** Limit of the data of one event, counted after encryption, as Pusher does. */
  readonly maxEventBytes: number;
  /** Time limit of a request, and of the wait for one, in milliseconds. */
  readonly timeoutMs: number;
  /** Keeps events that are too large and sends a stub with a link; without it they are rejected. */
  readonly oversize?: OversizeHandler;
  /** Knows which channels have no subscriber; without it every event is sent. */
  readonly occupancy?: Occupancy;
}

/** Makes the attempt for a `body` that is too large, by sending something else in its place. */
export type OversizeHandler = (delivery: Delivery, body: Buffer, send: Send) => RunningAttempt;
type Send = (data: Buffer) => RunningAttempt;

export interface Occupancy {
  /** False where that is not certain. */
  isVacant(channel: string): boolean;
}

const QRCODE_UPDATED = 'qrcode.updated';
/** Left out, as in the core API: the picture is larger than Pusher takes (docs/core-api.md#order-of-the-keys). */
const QRCODE_PICTURE = ['qrcode', 'base64'];

/** Sends events to the channels of one app (docs/pusher.md#what-subscribers-receive). */
export class PusherDestination implements Destination {
  readonly kind = 'pusher';
  readonly id: DestinationId;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly address?: string;
  readonly shares: readonly Share[];
  readonly limits: Limits;
  private readonly bodyOptions: BodyOptions;
  private readonly qrcodeBodyOptions: BodyOptions;

  constructor(
    private readonly target: PusherTarget,
    private readonly options: PusherOptions,
    private readonly app: PusherApp,
  ) {
    this.id = target.id;
    this.maxAttempts = target.maxAttempts;
    this.shares = target.shares;
    this.limits = target.limits;
    this.timeoutMs = 2 * options.timeoutMs;
    if (target.address !== undefined) this.address = target.address;
    this.bodyOptions = {
      destination: Buffer.from(JSON.stringify(target.appId)),
      stripApikey: options.stripApikey,
      normalise: target.normalise,
    };
    this.qrcodeBodyOptions = { ...this.bodyOptions, omitFromData: QRCODE_PICTURE };
  }

  get normalise(): Normalise | undefined {
    return this.target.normalise;
  }

  endpoint(): Endpoint {
    return this.target.endpoint;
  }

  start(delivery: Delivery): RunningAttempt {
    const { event, instance } = delivery.envelope;
    const { channelPrefix, occupancy } = this.options;
    const problem = instanceNameProblem(instance, channelPrefix) ?? eventNameProblem(event);
    if (problem !== undefined) return ended({ kind: 'rejected', code: 'NAME_REFUSED', answer: problem });
    const channel = channelPrefix + instance;
    if (occupancy?.isVacant(channel)) return ended({ kind: 'discarded', reason: 'vacant' });
    const body = composeBody(
      delivery.envelope,
      event === QRCODE_UPDATED ? this.qrcodeBodyOptions : this.bodyOptions,
    );
    const send: Send = (data) => this.app.batcher.add(this.eventOf(channel, event, data));
    return this.fits(channel, body) ? send(body) : this.startOversized(delivery, body, send);
  }

  close(): Promise<void> {
    return this.app.close();
  }

  private fits(channel: string, body: Buffer): boolean {
    const bytes = isEncryptedChannel(channel) ? encryptedLength(body.length) : body.length;
    return bytes <= this.options.maxEventBytes;
  }

  private startOversized(delivery: Delivery, body: Buffer, send: Send): RunningAttempt {
    const { oversize, maxEventBytes } = this.options;
    if (oversize !== undefined) return oversize(delivery, body, send);
    const answer = `${body.length} bytes; Pusher takes ${maxEventBytes}. PUSHER_OVERSIZE=reference would send a link`;
    return ended({ kind: 'rejected', code: 'OVERSIZE', reason: 'oversize', answer });
  }

  private eventOf(channel: string, name: string, body: Buffer): BatchEvent {
    const data = isEncryptedChannel(channel) ? this.app.signer.encrypt(channel, body) : body.toString('utf8');
    return { channel, name, data };
  }
}

/** An attempt that needed no request. */
function ended(outcome: Outcome): RunningAttempt {
  return { outcome: Promise.resolve(outcome), abort: () => {} };
}
