import { errorCode } from '../../errors';
import type { EventFilter } from '../../events/filter';
import type { Logger } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import type { Source } from '../source';
import { connectSqs, type SqsApi, type SqsConnection } from './api';
import { ClaimChecks, type ClaimDownloader } from './claim-check';
import { Depths, type QueueDepth } from './depths';
import { Inbox } from './inbox';
import { Pollers } from './pollers';
import type { ConsumedQueue } from './queue-names';
import { Registry, type RegistryOptions } from './registry';
import { troubleOf } from './trouble';
import { Warnings } from './warnings';

export interface SqsSourceOptions extends RegistryOptions {
  readonly connection: SqsConnection;
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** How long a poll of an idle queue waits for messages. */
  readonly waitSeconds: number;
  /** For how long a message is hidden from others at a time; extended while it is worked on. */
  readonly visibilitySeconds: number;
  /** Fetches events that were too large for SQS; undefined: what came instead is handed over. */
  readonly downloader: ClaimDownloader | undefined;
  readonly log: Logger;
}

/** A share of the slots for each poll: as many polls as there is room for, and not a thousand for a thousand queues. */
const MESSAGES_PER_POLL = 5;
const MAX_POLLS = 64;

/** What runs between start and close. */
interface Running {
  readonly api: SqsApi;
  readonly inbox: Inbox;
  readonly pollers: Pollers;
  readonly registry: Registry;
  readonly depths: Depths;
}

/** Consumes from SQS queues: those given by address, and those found by name. */
export class SqsSource implements Source {
  readonly name = 'sqs';
  private running: Running | undefined;
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private stopping = false;
  private connected = false;
  private detail = 'not started';
  private readonly warnings: Warnings;
  /** Instances that became known before the start. */
  private readonly instances = new Map<string, EventFilter>();

  constructor(private readonly options: SqsSourceOptions) {
    this.warnings = new Warnings(options.log);
  }

  get state(): { readonly ready: boolean; readonly detail: string } {
    return { ready: this.connected && !this.stopping, detail: this.detail };
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    const room = this.running?.inbox.room;
    return { messages: room?.messages ?? 0, bytes: room?.bytes ?? 0 };
  }

  /** Called again, it does nothing, as `close` does. */
  start(onMessage: (message: SourceMessage) => void): Promise<void> {
    this.starting ??= this.connect(onMessage);
    return this.starting;
  }

  /** Consumes the queues of an instance too, or with another filter than before. */
  consumeInstance(instance: string, events: EventFilter): void {
    this.instances.set(instance, events);
    this.running?.registry.consumeInstance(instance, events);
  }

  /** Consumes the queues of an instance no longer. */
  dropInstance(instance: string): void {
    this.instances.delete(instance);
    this.running?.registry.dropInstance(instance);
  }

  async stopIntake(): Promise<void> {
    this.stopping = true;
    await this.starting?.catch(() => {});
    this.running?.registry.stop();
    this.running?.inbox.stop();
    await this.running?.pollers.stop();
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect();
    return this.closing;
  }

  /** A few queues at a time, as each costs a call: those asked for longest ago. */
  async depths(): Promise<QueueDepth[]> {
    return (await this.running?.depths.read()) ?? [];
  }

  private async connect(onMessage: (message: SourceMessage) => void): Promise<void> {
    const { options } = this;
    this.detail = 'connecting';
    const api = await connectSqs(options.connection);
    if (this.stopping) return api.close();
    const onError = (error: unknown, queueUrl?: string): void => this.troubled(error, queueUrl);
    const inbox = new Inbox({
      api,
      maxMessages: options.maxMessages,
      maxBytes: options.maxBytes,
      visibilitySeconds: options.visibilitySeconds,
      claims: options.downloader && new ClaimChecks({ downloader: options.downloader }),
      onMessage,
      onRoom: () => pollers.wake(),
      onError,
    });
    const depths = new Depths(api, onError);
    const pollers = new Pollers({
      api,
      inbox,
      maxPolls: Math.min(MAX_POLLS, Math.max(1, Math.ceil(options.maxMessages / MESSAGES_PER_POLL))),
      maxMessages: options.maxMessages,
      waitSeconds: options.waitSeconds,
      visibilitySeconds: options.visibilitySeconds,
      onReceived: (queue, messages) => depths.received(queue, messages),
      onAnswer: () => this.answered(),
      onError,
      onGone: (queue) => registry.forget(queue),
    });
    const registry = new Registry(options, {
      api,
      onQueues: (queues) => this.consume(queues),
      onError,
      warn: (key, message, fields) => this.warnings.warn(key, message, fields),
    });
    this.running = { api, inbox, pollers, registry, depths };
    registry.start(this.instances);
  }

  private async disconnect(): Promise<void> {
    await this.stopIntake();
    await this.running?.inbox.close();
    this.running?.api.close();
    this.connected = false;
    this.detail = 'closed';
  }

  private consume(queues: readonly ConsumedQueue[]): void {
    if (this.stopping) return;
    this.running?.pollers.consume(queues);
    this.running?.depths.follow(queues);
    this.detail = `consuming ${queues.length} queue(s)`;
    // Without a queue there is no poll that could tell; the list of queues was answered.
    if (queues.length === 0) this.connected = true;
  }

  private answered(): void {
    if (this.connected || this.stopping) return;
    this.connected = true;
    const queues = this.running?.pollers.queueCount ?? 0;
    this.detail = `consuming ${queues} queue(s)`;
    this.options.log.info('sqs connected', { queues });
    this.running?.pollers.retryNow();
  }

  private troubled(error: unknown, queueUrl?: string): void {
    if (this.stopping) return;
    const trouble = troubleOf(error);
    const code = errorCode(error);
    const fields = { code, error: error instanceof Error ? error.message : String(error) };
    if (trouble === 'away') {
      this.connected = false;
      this.detail = `waiting for sqs: ${code}`;
    } else if (!this.connected) this.detail = `waiting for sqs: ${code}`;
    this.warnings.warn(`${trouble} ${queueUrl ?? ''}`, MESSAGES[trouble], {
      ...fields,
      ...(queueUrl === undefined ? {} : { queue: queueUrl }),
    });
  }
}

const MESSAGES = {
  gone: 'an sqs queue does not exist',
  refused: 'sqs refuses the relay: check the credentials and the policy (deploy/aws/)',
  throttled: 'sqs answers that there are too many calls',
  away: 'sqs unavailable',
} as const;
