import type { Channel, ConsumeMessage } from 'amqplib';
import type { SourceMessage } from '../../../../src/pipeline/message';
import { markerBody, markerHeaders } from '../../../../src/sources/rabbitmq/order-marker';
import { OrderedTerm } from '../../../../src/sources/rabbitmq/ordered-term';
import { PrefetchWindow } from '../../../../src/sources/rabbitmq/prefetch-window';
import type { OrderMarker } from '../../../../src/sources/source-module';
import { deferred, turns } from '../../../support/signals/signals';

const LEAVE: OrderMarker = { kind: 'leave', destinations: [['webhook:global', '7']] };

class World {
  readonly acknowledged: number[] = [];
  readonly rejected: number[] = [];
  readonly taken: SourceMessage[] = [];
  readonly markers: OrderMarker[] = [];
  readonly stuck: string[] = [];
  readonly window: PrefetchWindow;
  readonly term: OrderedTerm;
  marked = Promise.resolve();
  private tag = 0;

  onTaken: (message: SourceMessage) => void = () => {};

  constructor({ prefetch = 10, maxBytes = 1_000_000 } = {}) {
    this.window = new PrefetchWindow(prefetch, maxBytes);
    const channel = {
      ack: (message: ConsumeMessage) => this.acknowledged.push(message.fields.deliveryTag),
      nack: (message: ConsumeMessage) => this.rejected.push(message.fields.deliveryTag),
    } as unknown as Channel;
    this.term = new OrderedTerm({
      ...{ channel, queue: 'relay.ordered', window: this.window, instances: new Set() },
      onMessage: (message) => {
        this.taken.push(message);
        this.onTaken(message);
      },
      onMarker: (marker) => {
        this.markers.push(marker);
        return this.marked;
      },
      onStuck: (reason) => this.stuck.push(reason),
    });
  }

  receive(content = '{}', exchange = 'evolution', headers = {}): void {
    this.term.receive({
      content: Buffer.from(content),
      fields: { deliveryTag: ++this.tag, redelivered: false, exchange, routingKey: 'x', consumerTag: 'c' },
      properties: { headers },
    } as unknown as ConsumeMessage);
  }

  receiveMarker(marker: OrderMarker): void {
    this.receive(markerBody(marker).toString(), '', markerHeaders(marker));
  }

  async flushed(): Promise<number[]> {
    this.term.flush();
    await turns();
    return this.acknowledged;
  }
}

describe('what comes by the ordered queue', () => {
  test('is handed over at once, as the second copy, all of one channel as of one term', () => {
    const world = new World();
    world.receive();
    world.receive();
    expect(world.taken.map(({ copy }) => copy)).toEqual(['ordered', 'ordered']);
    expect(world.taken[0]?.term).toBe(world.taken[1]?.term);
  });

  test('nothing is ever rejected: what is not settled goes back with the channel', async () => {
    const world = new World();
    world.receive();
    world.taken[0]?.settle('release');
    expect(await world.flushed()).toEqual([]);
    expect(world.rejected).toEqual([]);
    expect(world.stuck).toHaveLength(1);
  });

  test('at the end of the process that is no reason to close the channel sooner', () => {
    const world = new World();
    world.receive();
    world.term.stop();
    world.taken[0]?.settle('release');
    world.receive();
    expect([world.stuck, world.taken.length]).toEqual([[], 1]);
  });

  test('what does not fit into memory goes back with all that follows, and fewer come at once', () => {
    const world = new World({ maxBytes: 100 });
    world.receive('x'.repeat(80));
    world.receive('x'.repeat(80));
    world.receive('{}');
    expect(world.taken).toHaveLength(1);
    expect(world.stuck).toHaveLength(1);
    expect(world.window.prefetch).toBe(1);
  });

  test('a marker waits until everything before it is settled, and everything behind it waits for it', async () => {
    const world = new World();
    const marked = deferred();
    world.marked = marked.promise;
    world.receive();
    world.receiveMarker(LEAVE);
    world.receive();
    expect([world.taken.length, world.markers]).toEqual([1, []]);
    world.taken[0]?.settle('ack');
    expect(world.markers).toEqual([LEAVE]);
    expect(world.taken).toHaveLength(1);
    marked.resolve();
    await turns();
    expect(world.taken).toHaveLength(2);
    expect((await world.flushed()).at(-1)).toBe(2);
    expect(world.window.count).toBe(1);
  });

  test('any number may wait behind a marker, each of them settled as soon as it is handed over', async () => {
    const most = 20_000;
    const world = new World({ prefetch: most + 2, maxBytes: 10 * most });
    world.receive();
    world.receiveMarker(LEAVE);
    for (let count = 0; count < most; count++) world.receive();
    world.onTaken = (message) => message.settle('ack');
    world.taken[0]?.settle('ack');
    await turns();
    expect(world.taken).toHaveLength(most + 1);
    // One acknowledgement for all of them.
    expect(await world.flushed()).toEqual([most + 2]);
    expect(world.term.isIdle).toBe(true);
  });

  test('what waits behind a marker that a later version wrote comes as soon as that is passed over', () => {
    const world = new World();
    world.receive();
    world.receive('[]', '', { [Object.keys(markerHeaders(LEAVE))[0] ?? '']: 'later' });
    world.receive();
    world.taken[0]?.settle('ack');
    expect(world.taken).toHaveLength(2);
    expect(world.markers).toEqual([]);
  });

  test('a marker is taken once, whatever is settled as soon as it is handed over', async () => {
    const world = new World();
    const marked = deferred();
    world.marked = marked.promise;
    world.receive();
    world.receiveMarker(LEAVE);
    world.receive();
    world.onTaken = (message) => message.settle('ack');
    world.taken[0]?.settle('ack');
    expect(world.markers).toHaveLength(1);
    marked.resolve();
    await turns();
    expect([world.markers.length, world.taken.length]).toEqual([1, 2]);
  });

  test('a lost channel gives back the room of what waits, and of what is held when its work ends', async () => {
    const world = new World();
    world.receive();
    world.receiveMarker(LEAVE);
    world.receive();
    world.term.lose();
    expect(world.window.count).toBe(1);
    expect(world.taken[0]?.isLost).toBe(true);
    world.taken[0]?.settle('ack');
    expect([world.window.count, world.window.bytes, world.window.prefetch]).toEqual([0, 0, 10]);
    expect(await world.flushed()).toEqual([]);
  });

  test('a channel that is gone stays gone, whatever ends it once more', async () => {
    const world = new World();
    world.receive();
    world.term.lose();
    world.term.stop();
    world.term.lose();
    world.receive();
    expect([world.term.isLost, world.term.isIdle, world.taken.length]).toEqual([true, true, 1]);
    expect(world.window.count).toBe(1);
  });

  test('one that takes nothing any more is not gone: what is held is settled over it, until it is', async () => {
    const world = new World();
    world.receive();
    world.term.stop();
    world.term.stop();
    expect(world.term.isLost).toBe(false);
    world.taken[0]?.settle('ack');
    expect(await world.flushed()).toEqual([1]);
    world.term.lose();
    expect(world.term.isLost).toBe(true);
  });

  test('what comes through an exchange is no marker, whatever its headers say', () => {
    const world = new World();
    world.receive('{}', 'evolution', markerHeaders(LEAVE));
    expect([world.taken.length, world.markers.length]).toEqual([1, 0]);
  });
});
