import type { Connect } from '../../../src/sources/rabbitmq/session';

/** Connections that count how often a queue was bound. */
export class CountedBinds {
  readonly connect: Connect;
  private count = 0;
  private waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(connect: Connect) {
    this.connect = async (signal) => {
      const model = await connect(signal);
      const create = model.createChannel.bind(model);
      model.createChannel = async (...args) => {
        const channel = await create(...args);
        const bind = channel.bindQueue.bind(channel);
        channel.bindQueue = async (...named) => {
          const bound = await bind(...named);
          this.add();
          return bound;
        };
        return channel;
      };
      return model;
    };
  }

  /** Resolves once so many were bound since the beginning. */
  reach(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting = { count, resolve };
    });
  }

  private add(): void {
    this.count++;
    if (this.waiting === undefined || this.count < this.waiting.count) return;
    this.waiting.resolve();
    this.waiting = undefined;
  }
}
