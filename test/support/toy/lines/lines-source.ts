import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { StateMachine, type Transitions } from '../../../../src/lifecycle/state-machine';
import type { Logger } from '../../../../src/observability/logging';
import type { Settlement, SourceMessage } from '../../../../src/pipeline/message';
import type { Source } from '../../../../src/sources/source';
import { Backoff } from '../../../../src/time/backoff';
import type { Said, Told } from './lines-broker';

type State = 'idle' | 'connecting' | 'consuming' | 'stopping' | 'closed';

const TRANSITIONS: Transitions<State> = {
  idle: ['connecting', 'stopping'],
  connecting: ['consuming', 'stopping'],
  consuming: ['connecting', 'stopping'],
  stopping: ['closed'],
  closed: [],
};

export interface LinesSourceOptions {
  readonly port: number;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly log: Logger;
}

/** Takes messages from a `LinesBroker`: as little as a source can be. */
export class LinesSource implements Source {
  readonly name = 'lines';
  private readonly machine: StateMachine<State>;
  private readonly backoff = new Backoff({ firstMs: 20, lastMs: 200 });
  private readonly instances = new Set<string>();
  private readonly messages = new Map<number, number>();
  private depthRequests: ((depth: number | undefined) => void)[] = [];
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private onMessage: (message: SourceMessage) => void = () => {};

  constructor(private readonly options: LinesSourceOptions) {
    const { log } = options;
    this.machine = new StateMachine<State>({ name: 'lines', initial: 'idle', transitions: TRANSITIONS, log });
  }

  get state(): { readonly ready: boolean; readonly detail: string } {
    return { ready: this.machine.is('consuming'), detail: this.machine.state };
  }

  get held(): { readonly messages: number; readonly bytes: number } {
    return {
      messages: this.messages.size,
      bytes: [...this.messages.values()].reduce((sum, each) => sum + each, 0),
    };
  }

  async start(onMessage: (message: SourceMessage) => void): Promise<void> {
    if (!this.machine.move('connecting')) return;
    this.onMessage = onMessage;
    this.connect();
  }

  follow(instance: string, isWanted: boolean): void {
    if (isWanted) this.instances.add(instance);
    else this.instances.delete(instance);
    this.say({ say: 'follow', instance, isWanted });
  }

  async depth(): Promise<number | undefined> {
    if (!this.machine.is('consuming')) return undefined;
    const depth = new Promise<number | undefined>((resolve) => this.depthRequests.push(resolve));
    this.say({ say: 'depth' });
    return depth;
  }

  async stopIntake(): Promise<void> {
    this.machine.move('stopping');
    clearTimeout(this.timer);
    this.say({ say: 'take', messages: 0, bytes: 0 });
  }

  async close(): Promise<void> {
    await this.stopIntake();
    const { socket } = this;
    if (socket !== undefined && !socket.closed) {
      const closed = once(socket, 'close').catch(() => {});
      if (socket.connecting) socket.destroy();
      else socket.end();
      await closed;
    }
    this.machine.move('closed');
  }

  private connect(): void {
    const { port, maxMessages: messages, maxBytes: bytes } = this.options;
    const socket = connect(port, '127.0.0.1');
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('connect', () => {
      if (!this.machine.is('connecting')) return;
      for (const instance of this.instances) this.say({ say: 'follow', instance, isWanted: true });
      this.say({ say: 'take', messages, bytes });
      this.say({ say: 'depth' });
    });
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => this.hear(socket, JSON.parse(line) as Told));
    lines.on('error', () => {});
    socket.on('close', () => this.lost());
  }

  private lost(): void {
    this.messages.clear();
    for (const resolve of this.depthRequests.splice(0)) resolve(undefined);
    this.machine.move('connecting');
    if (this.machine.is('connecting')) this.timer = setTimeout(() => this.connect(), this.backoff.next());
  }

  private hear(socket: Socket, told: Told): void {
    if ('depth' in told) return this.answered(told.depth);
    const { id } = told;
    const settle = (how: Settlement): void => {
      if (socket === this.socket && this.messages.delete(id)) this.say({ say: 'settle', id, how });
    };
    const body = Buffer.from(told.body, 'base64');
    this.messages.set(id, body.length);
    if (!this.machine.is('connecting', 'consuming')) return settle('release');
    this.onMessage({
      body,
      origin: { routingKey: told.key },
      publishedAt: undefined,
      redelivered: told.isAgain,
      get isLost() {
        return socket.destroyed;
      },
      settle,
    });
  }

  /** The first answer on a connection says that the broker knows what is wanted. */
  private answered(depth: number): void {
    if (this.machine.move('consuming')) this.backoff.reset();
    else this.depthRequests.shift()?.(depth);
  }

  private say(said: Said): void {
    if (this.socket?.readyState === 'open') this.socket.write(`${JSON.stringify(said)}\n`);
  }
}
