import type { ConsumeMessage } from 'amqplib';
import type { Acknowledgements } from './acknowledgements';
import type { PrefetchWindow } from './prefetch-window';

interface Waiting {
  readonly message: ConsumeMessage;
  readonly bytes: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Messages of one channel that did not fit, or came when nothing is taken any more. Sent back at once each would come
 * again at once, and quorum queues count how often it did. So the broker is kept waiting for it, without its body,
 * until there is room or the subscription is gone. There are no more of them than the prefetch.
 */
export class TurnedAway {
  private waiting: Waiting[] = [];
  private readonly onRoom = (): void => this.giveBack();

  constructor(
    private readonly acknowledgements: Acknowledgements,
    private readonly window: PrefetchWindow,
  ) {}

  /** @param untilRoom it goes back as soon as there is room; otherwise with `giveBackAll` */
  hold(message: ConsumeMessage, untilRoom: boolean): void {
    const bare = { ...message, content: NOTHING };
    this.acknowledgements.hold(bare, undefined);
    this.waiting.push({ message: bare, bytes: message.content.length });
    if (untilRoom) this.window.waitForRoom(this.onRoom);
  }

  /** A message that is held already and released: it goes back with `giveBackAll`. */
  add(message: ConsumeMessage): void {
    this.waiting.push({ message, bytes: message.content.length });
  }

  giveBackAll(): void {
    if (this.waiting.length > 0) this.window.noteReturned();
    for (const { message } of this.waiting) this.acknowledgements.settle(message, 'release');
    this.forget();
  }

  /** The broker takes them back by itself. */
  forget(): void {
    this.waiting = [];
    this.window.noLongerWaits(this.onRoom);
  }

  private giveBack(): void {
    let promised = 0;
    for (const [index, { message, bytes }] of this.waiting.entries()) {
      if (!this.window.fits(promised + bytes)) {
        this.waiting.splice(0, index);
        return;
      }
      promised += bytes;
      this.window.noteReturned();
      this.acknowledgements.settle(message, 'release');
    }
    this.forget();
  }
}
