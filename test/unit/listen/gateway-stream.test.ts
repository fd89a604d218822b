import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { GatewayStream, type GatewayStreamParts } from '../../../src/listen/gateway-stream';
import { Happenings, turns } from '../../support/signals/signals';
import { nth } from '../../support/values/items';

/** A gateway that takes every connection, or refuses each with a status; and a stream of it. */
class World {
  readonly connections = new Happenings<{ readonly from: string | null; readonly socket: WebSocket }>();
  readonly opened = new Happenings<undefined>();
  readonly cuts = new Happenings<string>();
  readonly refusals = new Happenings<string>();
  readonly messages = new Happenings<string>();
  onCut: () => void = () => {};
  key = 'key';
  refuseWith: number | undefined;
  private server: Server | undefined;
  private made: GatewayStream | undefined;

  async start(): Promise<GatewayStream> {
    const sockets = new WebSocketServer({ noServer: true });
    const server = createServer();
    server.on('upgrade', (request, socket, head) => {
      if (this.refuseWith !== undefined) {
        socket.end(`HTTP/1.1 ${this.refuseWith} No\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno`);
        return;
      }
      const from = new URL(request.url ?? '', 'http://x').searchParams.get('last-event-id');
      sockets.handleUpgrade(request, socket, head, (each) => this.connections.add({ from, socket: each }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    const parts: GatewayStreamParts = {
      // What follows a # is for pages.
      gateway: `http://127.0.0.1:${(server.address() as AddressInfo).port}/#page`,
      key: this.key,
      instance: undefined,
      lastEventId: 'now',
      onMessage: (message) => this.messages.add(message.toString()),
      onOpen: () => this.opened.add(undefined),
      onCut: (reason) => {
        this.cuts.add(reason);
        this.onCut();
      },
      onRefused: (reason) => this.refusals.add(reason),
    };
    this.made = new GatewayStream(parts);
    return this.made;
  }

  async stop(): Promise<void> {
    this.made?.close();
    const { server } = this;
    if (server === undefined) return;
    for (const { socket } of this.connections.all) socket.terminate();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
}

describe('the stream of a gateway', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.stop());

  test('idle, then opened, however often: one connection', async () => {
    const stream = await world.start();
    stream.open();
    stream.open();
    await world.opened.count(1);
    expect(world.connections.all.map(({ from }) => from)).toEqual(['now']);
  });

  test('cut, it pauses, and goes on after what was received whole', async () => {
    const stream = await world.start();
    stream.open();
    await world.opened.count(1);
    stream.advance('7');
    nth(world.connections.all, 0).socket.terminate();
    await world.cuts.count(1);
    await world.opened.count(2);
    expect(world.connections.all.map(({ from }) => from)).toEqual(['now', '7']);
  });

  test('closed while it pauses, also by whoever hears of the pause, it makes no other connection', async () => {
    const stream = await world.start();
    world.onCut = () => stream.close();
    stream.open();
    await world.opened.count(1);
    nth(world.connections.all, 0).socket.terminate();
    await world.cuts.count(1);
    // No timer is left that would connect: the check for leaks fails otherwise.
    stream.open();
    await turns();
    expect(world.connections.all).toHaveLength(1);
  });

  test('closed while it is connected, it ends the connection, and says nothing of it', async () => {
    const stream = await world.start();
    stream.open();
    await world.opened.count(1);
    const ended = once(nth(world.connections.all, 0).socket, 'close');
    stream.close();
    stream.close();
    await ended;
    expect(world.cuts.all).toEqual([]);
  });

  test('refused for good, it is closed; refused in passing, it pauses', async () => {
    const stream = await world.start();
    world.refuseWith = 503;
    stream.open();
    await world.cuts.count(1);
    expect(world.refusals.all).toEqual([]);
    world.refuseWith = 401;
    expect(await world.refusals.count(1)).toEqual([expect.stringContaining('401')]);
    expect(world.cuts.all).toHaveLength(1);
  });

  test('held, it reads nothing until it goes on, over another connection as well', async () => {
    const stream = await world.start();
    stream.open();
    await world.opened.count(1);
    stream.hold();
    nth(world.connections.all, 0).socket.terminate();
    // What is paused does not notice the end by itself.
    stream.goOn();
    await world.cuts.count(1);
    stream.hold();
    await world.opened.count(2);
    const { socket } = nth(world.connections.all, 1);
    await new Promise<void>((resolve) => socket.send('event', () => resolve()));
    await turns(20);
    expect(world.messages.all).toEqual([]);
    stream.goOn();
    expect(await world.messages.count(1)).toEqual(['event']);
  });
});

test('a stream that cannot even be asked for throws, and leaves no timer that keeps the process', async () => {
  const world = new World();
  world.key = 'two\nlines';
  const before = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const stream = await world.start();
  expect(() => stream.open()).toThrow(/Invalid character/);
  expect(process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length).toBe(before);
  await world.stop();
});
