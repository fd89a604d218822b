import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { resetSocket } from '../../../src/redis/socket-reset';
import { within } from '../../support/signals/signals';

let server: Server;
let peers: Socket[];

beforeEach(async () => {
  peers = [];
  server = createServer((peer) => {
    peer.on('error', () => {});
    peers.push(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  for (const peer of peers) peer.destroy();
  const closed = once(server, 'close');
  server.close();
  await closed;
});

async function open(): Promise<[ours: Socket, theirs: Socket]> {
  const accepted = once(server, 'connection');
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[theirs]] = (await Promise.all([accepted, once(ours, 'connect')])) as [[Socket], unknown];
  return [ours, theirs];
}

const isOpen = (socket: Socket): boolean =>
  (process as unknown as { _getActiveHandles(): unknown[] })._getActiveHandles().includes(socket);

/** When it happens, counted from when the other side's end was read, to which a socket answers with its own. */
const MOMENTS: readonly (readonly [string, (work: () => void) => void])[] = [
  ['at once', (work) => work()],
  ['in the next tick', (work) => process.nextTick(work)],
  ['after the tick in which it ends its own side', (work) => queueMicrotask(work)],
  ['after several', (work) => queueMicrotask(() => process.nextTick(() => queueMicrotask(work)))],
  ['in the next turn', (work) => setImmediate(work)],
];

test.each(MOMENTS)(
  'a connection that its peer ends is closed, descriptor and all, by a reset %s',
  async (_, later) => {
    const [ours, theirs] = await open();
    const errors: unknown[] = [];
    ours.on('error', (error) => errors.push(error));
    const closed = once(ours, 'close');
    ours.resume();
    ours.once('end', () => later(() => resetSocket(ours)));
    theirs.end();
    await within(closed, 10_000, () => 'close');
    expect([errors, isOpen(ours)]).toEqual([[], false]);
  },
);

test('what waits to be sent is given up', async () => {
  const [ours] = await open();
  ours.write(Buffer.alloc(32 * 2 ** 20));
  ours.end();
  const closed = once(ours, 'close');
  resetSocket(ours);
  await within(closed, 10_000, () => 'close');
  expect(isOpen(ours)).toBe(false);
});
