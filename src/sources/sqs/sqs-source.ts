import { errorCode } from '../../errors';
import type { EventFilter } from '../../events/filter';
import { StateMachine } from '../../lifecycle/state-machine';
import type { Logger } from '../../observability/logging';
import type { SourceMessage } from '../../pipeline/message';
import { counted } from '../../plural';
import { endsWithin } from '../../time/within';
import type { Source } from '../source';
import type { CallObserver, SqsAction, SqsApi, SqsConnection } from './api';
import type { ClaimDownloader } from './claim-check';
import { Contact } from './contact';
import type { Depths, QueueDepth } from './depths';
import type { ConsumedQueue } from './queue-names';
import { QueueTroubles } from './queue-troubles';
import type { RegistryOptions } from './registry';
import { connectSqs } from './sdk-api';
import { type CallLimits, SqsUnreachableError } from './sqs-connections';
import { composeSqs, type SqsParts } from './sqs-parts';
import { SQS_TRANSITIONS, type SqsState } from './sqs-states';
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
  /** Undefined: the usual ones. */
  readonly limits?: CallLimits;
}

/** Deletes that were settled and messages that go back: what is not answered by then comes again by its lease. */
const CLOSE_MS = 12_000;

/** Consumes from SQS queues: those given by address, and those found by name. */
export class SqsSource implements Source {
  readonly name = 'sqs';
  private readonly machine: StateMachine<SqsState>;
  /** Why it is in its state, for people. */
  private reason = 'not started';
  private readonly contact: Contact;
  private readonly troubles: QueueTroubles;
  private readonly warnings: Warnings;
  private parts: SqsParts | undefined;
  /** It is known which queues there are. */
  private isSearched = false;
  private queues: readonly ConsumedQueue[] = [];
  /** By instance, where it became known before the start. */
  private readonly early = new Map<string, EventFilter>();
  private starting: Promise<void> | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: SqsSourceOptions) {
    const { log } = options;
    this.warnings = new Warnings(log);
    this.troubles = new QueueTroubles(log);
    this.machine = new StateMachine<SqsState>({
      name: 'sqs',
      initial: 'idle',
      transitions: SQS_TRANSITIONS,
      log,
    });
    this.contact = new Contact({
      ask: () => this.ask(),
      onAnswer: (action) => this.answered(action),
      onSilence: (error) => this.silent(error),
    });
  }

  get state(): { readonly ready: boolean; readonly detail: string } {
    const { parts, troubles, machine } = this;
    if (!machine.is('consuming')) return { ready: false, detail: this.reason };
    const impossible = parts?.registry.impossibleCount ?? 0;
    const details = [
      `consuming ${counted(this.queues.length, 'queue')}`,
      troubles.summary((url) => parts?.pollers.has(url) === true),
      parts?.claims?.summary,
      impossible > 0 ? `${counted(impossible, 'instance')} with a name that no queue can have` : undefined,
    ];
    return { ready: true, detail: details.filter((detail) => detail !== undefined).join('; ') };
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    return this.parts?.inbox.held ?? { messages: 0, bytes: 0 };
  }

  /** Called again, it does nothing, as `close` does. */
  start(onMessage: (message: SourceMessage) => void): Promise<void> {
    this.starting ??= this.connect(onMessage);
    return this.starting;
  }

  /** Consumes the queues of an instance too, or with another filter than before. Takes any name. */
  consumeInstance(instance: string, events: EventFilter): void {
    if (this.parts === undefined) this.early.set(instance, events);
    else this.parts.registry.consumeInstance(instance, events);
  }

  /** Consumes the queues of an instance no longer. */
  dropInstance(instance: string): void {
    this.early.delete(instance);
    this.parts?.registry.dropInstance(instance);
  }

  async stopIntake(): Promise<void> {
    const wasSilent = this.machine.is('connecting');
    this.moveTo('stopping', 'stopping');
    await this.starting?.catch(() => {});
    this.contact.stop();
    const { parts } = this;
    if (parts === undefined) return;
    parts.registry.stop();
    parts.inbox.stop();
    // Nothing that SQS could have hidden for a poll comes over a connection that says nothing.
    if (wasSilent) parts.pollers.abandon();
    await parts.pollers.stop();
  }

  close(): Promise<void> {
    this.closing ??= this.disconnect();
    return this.closing;
  }

  /** A few queues at a time, as each costs a call: those asked for longest ago. */
  async depths(): Promise<QueueDepth[]> {
    return (await this.depthsPart?.read()) ?? [];
  }

  private get depthsPart(): Depths | undefined {
    return this.machine.is('connecting', 'consuming') ? this.parts?.depths : undefined;
  }

  /** False where the table does not list it, as after the end: nothing is changed then. */
  private moveTo(state: SqsState, reason: string): boolean {
    const from = this.machine.state;
    if (!this.machine.move(state)) return false;
    this.reason = reason;
    this.options.log.info(`sqs ${state}`, { from, reason });
    return true;
  }

  private async connect(onMessage: (message: SourceMessage) => void): Promise<void> {
    if (!this.moveTo('connecting', 'connecting')) return;
    const { connection, limits } = this.options;
    const api = await connectSqs(connection, {
      observer: this.observer,
      ...(limits === undefined ? {} : { limits }),
    });
    // It may have been stopped while the SDK was loaded.
    if (!this.machine.is('connecting')) return api.close();
    this.run(api, onMessage);
  }

  private run(api: SqsApi, onMessage: (message: SourceMessage) => void): void {
    const { options, warnings } = this;
    this.parts = composeSqs({
      api,
      options,
      onMessage,
      onQueues: (queues) => this.consume(queues),
      onSearched: () => this.searched(),
      warn: (key, message, fields) => warnings.warn(key, message, fields),
    });
    const { registry } = this.parts;
    for (const [instance, events] of this.early) registry.consumeInstance(instance, events);
    this.early.clear();
    this.contact.start();
    registry.start();
  }

  private async disconnect(): Promise<void> {
    await this.stopIntake();
    if (this.parts !== undefined) {
      await endsWithin(this.parts.inbox.close(), CLOSE_MS);
      this.parts.api.close();
      this.parts.inbox.end();
    }
    this.moveTo('closed', 'closed');
  }

  private get observer(): CallObserver {
    const { contact, troubles, machine } = this;
    return {
      answered: (action, subject) => {
        troubles.answered(action, subject);
        contact.answered(action, subject);
      },
      failed: (action, subject, error, begunAt) => {
        // What is given up on at the end is no trouble.
        if (machine.is('stopping', 'closed')) return;
        troubles.failed(action, subject, error);
        contact.failed(action, subject, error, begunAt);
        if (machine.is('connecting')) this.reason = `waiting for sqs: ${reasonOf(error)}`;
      },
    };
  }

  private consume(queues: readonly ConsumedQueue[]): void {
    if (!this.machine.is('connecting', 'consuming')) return;
    this.queues = queues;
    this.parts?.pollers.consume(queues);
    this.parts?.depths.follow(queues);
  }

  /** Messages come in where a poll was answered, or where there is nothing to poll, or no room for it. */
  private answered(action: SqsAction): void {
    const isIdle = this.isSearched && this.queues.length === 0;
    if (action === 'receive' || isIdle || this.parts?.inbox.free === 0) this.ready();
  }

  private searched(): void {
    this.isSearched = true;
    if (this.queues.length > 0) return;
    // Where nothing is wanted there was nothing to ask for.
    if (this.contact.wasAnswered) this.ready();
    else void this.ask();
  }

  private ready(): void {
    if (this.moveTo('consuming', 'sqs answers')) this.parts?.pollers.retryNow();
  }

  private silent(error: unknown): void {
    this.moveTo('connecting', `waiting for sqs: ${reasonOf(error)}`);
  }

  /** For its answer only; how it ends is observed. */
  private async ask(): Promise<void> {
    const { parts } = this;
    const [queue] = this.queues;
    try {
      if (queue !== undefined) await parts?.api.attributes(queue.url);
      else for await (const _page of parts?.api.list(NO_QUEUE) ?? []) break;
    } catch {
      // Observed.
    }
  }
}

/** A prefix that no queue is likely to have. */
const NO_QUEUE = 'evolution-relay-asks';

function reasonOf(error: unknown): string {
  return error instanceof SqsUnreachableError ? error.reason : errorCode(error);
}
