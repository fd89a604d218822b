import type { Channel } from 'amqplib';
import { RelayError } from '../../errors';
import { amqpText } from './amqp-text';
import { type BrokerAnswer, type Connect, ConnectionLostError, replyCodeOf, Session } from './session';

const NOT_FOUND = 404;
const ACCESS_REFUSED = 403;
const PRECONDITION_FAILED = 406;

/** The broker, or amqplib on its behalf, refuses what was asked. Whatever its class, only that one question failed. */
export class RefusedError extends RelayError {
  readonly replyCode: number | undefined;

  constructor(code: string, message: string, { replyCode, cause }: BrokerAnswer) {
    super(code, message, cause === undefined ? undefined : { cause });
    this.replyCode = replyCode;
  }

  get isMissing(): boolean {
    return this.replyCode === NOT_FOUND;
  }

  get isForbidden(): boolean {
    return this.replyCode === ACCESS_REFUSED;
  }

  /** It exists, and is another one than was asked for. */
  get isMismatch(): boolean {
    return this.replyCode === PRECONDITION_FAILED;
  }
}

/** Any error at one question as a refusal; only a lost connection is more than that. */
export function asRefusal(error: unknown): RefusedError | ConnectionLostError {
  if (error instanceof ConnectionLostError || error instanceof RefusedError) return error;
  const replyCode = replyCodeOf(error);
  const code = replyCode === undefined ? 'AMQP_CLIENT' : `AMQP_${replyCode}`;
  return new RefusedError(code, amqpText(error), { replyCode, cause: error });
}

/** What was refused; undefined where nothing was. @throws ConnectionLostError */
export async function refusalOf(asked: Promise<unknown>): Promise<RefusedError | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error;
    throw error;
  }
}

/**
 * Asks the broker one question after the other. Each refusal ends the channel, and an error of amqplib's own leaves it
 * with a question that is never answered, so that the next question gets a new one.
 */
export class ControlChannel {
  private channel: Channel | undefined;

  constructor(readonly session: Session) {}

  /** @throws RefusedError, or ConnectionLostError */
  async ask<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    try {
      const channel = await this.open();
      return await this.session.answer(work(channel));
    } catch (error) {
      this.drop();
      throw asRefusal(error);
    }
  }

  close(): void {
    this.drop();
  }

  private async open(): Promise<Channel> {
    if (this.channel !== undefined) return this.channel;
    const channel = await this.session.openChannel();
    channel.on('close', () => {
      if (this.channel === channel) this.channel = undefined;
    });
    this.channel = channel;
    return channel;
  }

  private drop(): void {
    const { channel } = this;
    this.channel = undefined;
    if (channel !== undefined) void this.session.closeChannel(channel, []);
  }
}

/**
 * Asks over a connection of its own, which the broker may close without harm to what is consumed. Gives what it was
 * closed for; undefined where it was not, or cannot be made.
 */
export async function tryAlone(
  connect: Connect,
  work: (control: ControlChannel) => Promise<void>,
): Promise<ConnectionLostError | undefined> {
  let session: Session | undefined;
  try {
    session = await Session.open(connect);
    await work(new ControlChannel(session));
    return undefined;
  } catch (error) {
    return error instanceof ConnectionLostError && error.isRefusal ? error : undefined;
  } finally {
    await session?.close();
  }
}
