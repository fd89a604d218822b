import type { Admission, Seat } from '../../../../src/gateway/websocket/admission';
import { type Client, Clients, type CutReason } from '../../../../src/gateway/websocket/clients';
import type { Keys } from '../../../../src/http-api/keys';
import { FakeClient } from '../../../support/harness/channel-harness';
import { turns } from '../../../support/signals/signals';

class FakeGuest extends FakeClient implements Client {
  readonly protocol = 'ws';
  readonly cuts: CutReason[] = [];
  checkAlive(): void {}
  cutOff(reason: CutReason): void {
    this.cuts.push(reason);
  }
}

function setUp(opens: (key: string | undefined) => Promise<boolean>) {
  const released: (string | undefined)[] = [];
  const errors: unknown[] = [];
  const clients = new Clients({
    admission: { release: (instance: string | undefined) => released.push(instance) } as unknown as Admission,
    keys: { opens } as unknown as Keys,
    pingMs: 60_000,
    observer: { connected: () => {}, cutOff: () => {} },
    onError: (error) => errors.push(error),
  });
  const channel = { join: () => () => {}, leave: () => {} } as unknown as Seat['channel'];
  const seat = (instance: string, access: Seat['access'], key = 'token'): Seat => ({
    instance,
    access,
    key,
    channel,
    position: '0-0',
    notice: undefined,
  });
  return { clients, seat, released, errors };
}

test('only clients let in by the token of that instance are looked at again', async () => {
  const asked: (string | undefined)[] = [];
  let isOpen = true;
  const { clients, seat } = setUp(async (key) => {
    asked.push(key);
    return isOpen;
  });
  const guests = [new FakeGuest(), new FakeGuest(), new FakeGuest()] as const;
  clients.add(guests[0], seat('loja', 'instance', 'a'));
  clients.add(guests[1], seat('other', 'instance', 'b'));
  clients.add(guests[2], seat('loja', 'all', 'operator'));
  await turns();
  asked.length = 0;
  isOpen = false;
  await clients.recheck('loja');
  expect(asked).toEqual(['a']);
  expect(guests.map(({ cuts }) => cuts)).toEqual([['revoked'], [], []]);
  await clients.recheck(undefined);
  expect(guests[1].cuts).toEqual(['revoked']);
  expect(guests[2].cuts).toEqual([]);
});

test('a token that was revoked while its client came in ends it as well', async () => {
  const { clients, seat } = setUp(async () => false);
  const guest = new FakeGuest();
  clients.add(guest, seat('loja', 'instance'));
  await turns();
  expect(guest.cuts).toEqual(['revoked']);
});

test('that settings cannot be read ends nobody', async () => {
  const { clients, seat, errors } = setUp(() => Promise.reject(new Error('away')));
  const guest = new FakeGuest();
  clients.add(guest, seat('loja', 'instance'));
  await clients.recheck('loja');
  await turns();
  expect([guest.cuts, errors.length > 0]).toEqual([[], true]);
});

test('a seat is given back once its client has gone, or never came in', () => {
  const { clients, seat, released } = setUp(async () => true);
  const leave = clients.add(new FakeGuest(), seat('loja', 'all'));
  expect(released).toEqual([]);
  leave();
  clients.turnAway(seat('other', 'all'));
  expect(released).toEqual(['loja', 'other']);
});
