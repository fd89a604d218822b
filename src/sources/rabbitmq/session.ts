import { Socket } from 'node:net';
import { type Channel, type ChannelModel, connect, IllegalOperationError } from 'amqplib';
import { BrokerUnavailableError, RelayError } from '../../errors';
import { monotonicMs } from '../../time/monotonic';
import { within } from '../../time/within';
import { amqpText, asUnavailable } from './amqp-text';
import { connectOptions } from './broker-address';
import { untilTaken } from './taken-acknowledgements';

/** Makes one connection; the signal ends it, whether it is made already or not. */
export type Connect = (signal: AbortSignal) => Promise<ChannelModel>;

/** What an error of the broker's goes back to. */
export interface BrokerAnswer {
  /** AMQP's code, where the broker gave one. */
  readonly replyCode: number | undefined;
  readonly cause?: unknown;
}

/** The connection is gone, or was given up. `replyCode` is set where the broker closed it on purpose. */
export class ConnectionLostError extends RelayError {
  readonly replyCode: number | undefined;

  constructor(code: string, message: string, { replyCode, cause }: BrokerAnswer) {
    super(code, message, cause === undefined ? undefined : { cause });
    this.replyCode = replyCode;
  }

  /** The broker refused something by closing the whole connection, rather than going down or being asked to close. */
  get isRefusal(): boolean {
    return this.replyCode !== undefined && this.replyCode !== CONNECTION_FORCED;
  }
}

const CONNECTION_FORCED = 320;
const CONNECT_MS = 10_000;
/** A question that is not answered for so long, while nothing else comes either, means that the broker is silent. */
const SILENCE_MS = 12_000;
/** Fewer bytes than this within `SILENCE_MS` are heartbeats: they do not say that the broker works. */
const PROGRESS_BYTES = 1024;
/** No answer takes longer, even where large messages stand before it on a slow network. */
const ANSWER_MOST_MS = 300_000;
const WATCH_MS = 1000;

interface Question {
  readonly askedAt: number;
  readonly reject: (error: Error) => void;
}

/** How the worker and the doctor connect to `RABBITMQ_URI`. */
export function connector(uri: string, frameMax: number): Connect {
  return (signal) => {
    // amqplib hands the signal on to the socket, which it does not give out before the connection is made.
    const socket = { signal, timeout: CONNECT_MS, noDelay: true, keepAlive: true };
    const clientProperties = { connection_name: 'evolution-relay' };
    return connect(connectOptions(uri, frameMax), { ...socket, clientProperties }).catch((error: unknown) => {
      throw asUnavailable(error, uri);
    });
  };
}

/**
 * One connection to the broker, from made to lost. amqplib's own recovery awaits calls that are never answered once a
 * connection is gone, so everything that is asked of the broker goes through `answer`: it ends with the connection, and
 * the connection ends where the broker falls silent.
 */
export class Session {
  /** Resolves once the connection is gone, with the reason. */
  readonly lost: Promise<ConnectionLostError>;
  private readonly questions = new Set<Question>();
  private readonly socket: Socket | undefined;
  private readonly watch: NodeJS.Timeout;
  private reason: ConnectionLostError | undefined;
  private resolveLost: (reason: ConnectionLostError) => void = () => {};
  private answeredMs = monotonicMs();
  private progress = { bytes: 0, at: monotonicMs() };

  private constructor(
    private readonly model: ChannelModel,
    private readonly cancel: AbortController,
  ) {
    this.lost = new Promise((resolve) => {
      this.resolveLost = resolve;
    });
    this.socket = socketOf(model);
    model.on('close', (error?: Error) => this.lose(lossOf(error)));
    // `close` reports it, too.
    model.on('error', () => {});
    this.watch = setInterval(() => this.lookForSilence(), WATCH_MS);
  }

  /** @throws what the connection failed with, after 10 s at the latest; at once where `stop` is aborted */
  static async open(connectTo: Connect, stop?: AbortSignal): Promise<Session> {
    const cancel = new AbortController();
    const abort = (): void => cancel.abort();
    stop?.addEventListener('abort', abort);
    if (stop?.aborted === true) abort();
    const connecting = connectTo(cancel.signal);
    const stopped = new Promise<never>((_, reject) => {
      cancel.signal.addEventListener('abort', () => reject(new BrokerUnavailableError('not connected')));
    });
    try {
      const late = (): Error => new BrokerUnavailableError('the broker does not answer');
      return new Session(await within(Promise.race([connecting, stopped]), CONNECT_MS, late), cancel);
    } catch (error) {
      // A connection that is made too late is closed; what this one failed with was thrown.
      connecting.then(destroy, () => {});
      stopped.catch(() => {});
      cancel.abort();
      throw error;
    } finally {
      stop?.removeEventListener('abort', abort);
    }
  }

  get isLost(): boolean {
    return this.reason !== undefined;
  }

  /** Why the connection is gone; undefined while it is there. */
  get lostBy(): ConnectionLostError | undefined {
    return this.reason;
  }

  /** When the broker last answered a question, by the monotonic clock. */
  get answeredAt(): number {
    return this.answeredMs;
  }

  /** Major and minor version of RabbitMQ; zeros where it does not say. */
  get version(): { readonly major: number; readonly minor: number; readonly text: string } {
    const text = String(this.model.connection.serverProperties.version);
    const [major = 0, minor = 0] = text.split('.').map((part) => Number.parseInt(part, 10) || 0);
    return { major, minor, text };
  }

  /**
   * What the broker answers.
   *
   * @throws what it refuses with, or ConnectionLostError when the connection goes meanwhile or is silent
   */
  answer<T>(work: Promise<T>): Promise<T> {
    if (this.reason !== undefined) {
      work.catch(() => {});
      return Promise.reject(this.reason);
    }
    return new Promise((resolve, reject) => {
      const question: Question = { askedAt: monotonicMs(), reject };
      this.questions.add(question);
      work.then(
        (value) => {
          this.answered(question);
          resolve(value);
        },
        (error: unknown) => {
          // A refusal is an answer; what amqplib itself throws is none.
          if (replyCodeOf(error) === undefined) this.questions.delete(question);
          else this.answered(question);
          reject(this.reason ?? error);
        },
      );
    });
  }

  async openChannel(): Promise<Channel> {
    try {
      const channel = await this.answer(this.model.createChannel());
      // The refusal that closes a channel also rejects the call that is waited for.
      channel.on('error', () => {});
      return channel;
    } catch (error) {
      // amqplib lets nothing be sent any more: the connection ended before anybody listened.
      if (error instanceof IllegalOperationError) this.lose(lossOf(error));
      throw this.reason ?? error;
    }
  }

  /**
   * Closes a channel in good order; does nothing where it is closed.
   *
   * @param acknowledged queues of which messages were acknowledged over it, and must not come again
   */
  async closeChannel(channel: Channel, acknowledged: Iterable<string>): Promise<void> {
    // Its own promise is never settled where the broker closes the channel meanwhile.
    const closed = new Promise<void>((resolve) => channel.once('close', resolve));
    await Promise.race([untilTaken(this, channel, acknowledged), closed]).catch(() => {});
    await this.answer(Promise.race([channel.close(), closed])).catch(() => {});
  }

  /** Ends the connection in good order, or without the broker where that does not answer. */
  async close(): Promise<void> {
    if (this.isLost) return;
    await this.answer(this.model.close()).catch(() => {});
    this.lose(
      new ConnectionLostError('CONNECTION_CLOSED', 'the connection was closed', { replyCode: undefined }),
    );
  }

  private answered(question: Question): void {
    this.questions.delete(question);
    this.answeredMs = monotonicMs();
  }

  private lose(reason: ConnectionLostError): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    clearInterval(this.watch);
    for (const { reject } of this.questions) reject(reason);
    this.questions.clear();
    if (reason.replyCode !== undefined) this.socket?.destroySoon();
    else {
      // amqplib only says goodbye, which leaves the socket of a silent peer open.
      this.cancel.abort();
      this.socket?.destroy(reason);
    }
    this.resolveLost(reason);
  }

  private lookForSilence(): void {
    const now = monotonicMs();
    const bytes = this.socket?.bytesRead ?? 0;
    if (bytes - this.progress.bytes >= PROGRESS_BYTES) this.progress = { bytes, at: now };
    const [oldest] = this.questions;
    if (oldest === undefined) return;
    const waitedMs = now - oldest.askedAt;
    const isSilent = waitedMs > SILENCE_MS && now - this.progress.at > SILENCE_MS;
    if (!isSilent && waitedMs < ANSWER_MOST_MS) return;
    const seconds = Math.round(waitedMs / 1000);
    this.lose(
      new ConnectionLostError(
        'BROKER_SILENT',
        `the broker has not answered for ${seconds} s: the connection is made anew`,
        { replyCode: undefined },
      ),
    );
  }
}

/** The AMQP reply code of an error that the broker sent. */
export function replyCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function lossOf(error: Error | undefined): ConnectionLostError {
  const replyCode = replyCodeOf(error);
  const code = replyCode === undefined ? 'CONNECTION_LOST' : `AMQP_${replyCode}`;
  return new ConnectionLostError(code, amqpText(error), { replyCode, cause: error });
}

/** amqplib has no way to let go of a connection without the peer's consent, and none to see bytes come in. */
function socketOf(model: ChannelModel): Socket | undefined {
  const stream: unknown = Reflect.get(model.connection, 'stream');
  return stream instanceof Socket ? stream : undefined;
}

function destroy(model: ChannelModel): void {
  model.on('error', () => {});
  socketOf(model)?.destroy();
}
