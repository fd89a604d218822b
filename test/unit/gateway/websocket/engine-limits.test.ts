import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EngineLimits } from '../../../../src/gateway/websocket/engine-limits';
import { SharedBudget } from '../../../../src/network/shared-budget';

type Engine = Parameters<EngineLimits['watch']>[0];
type Connection = Parameters<EngineLimits['refused']>[0];

class FakeConnection extends EventEmitter {
  isClosed = false;
  readonly request = { socket: {} };

  constructor(readonly id: string) {
    super();
  }

  close(): void {
    this.isClosed = true;
    this.emit('close');
  }

  connect(): void {
    this.emit('data', '0/instance,');
  }
}

const COUNT = 600;
let limits: EngineLimits;
let connections: FakeConnection[];

beforeEach(() => {
  const engine = Object.assign(new EventEmitter(), { use: () => {} });
  limits = new EngineLimits({
    addressOf: (_request: IncomingMessage) => '192.0.2.1',
    sessions: { inAll: COUNT, perHolder: COUNT },
    bodies: new SharedBudget({ inAll: 1, perHolder: 1 }),
    maxBodyBytes: 1,
  });
  limits.watch(engine as unknown as Engine);
  connections = Array.from({ length: COUNT }, (_, index) => new FakeConnection(`session-${index}`));
  for (const each of connections) engine.emit('connection', each);
});

const refuse = (each: FakeConnection): void => limits.refused(each as unknown as Connection);
const open = (): number => connections.filter(({ isClosed }) => !isClosed).length;

it('however many come at once, each session may ask for its first namespace', () => {
  for (const each of connections) each.connect();
  expect(open()).toBe(COUNT);
});

it('asking on after refusals takes places that all sessions share, a turn for each (finding 4.5)', async () => {
  for (const each of connections) {
    each.connect();
    refuse(each);
  }
  await nextTurn();
  for (const each of connections) {
    each.connect();
    refuse(each);
  }
  expect(open()).toBe(128);
  await nextTurn();
  for (const each of connections.filter(({ isClosed }) => !isClosed)) each.connect();
  expect(open()).toBe(128);
});

describe('where all sessions without a key are taken', () => {
  const addresses = new Map<object, string>();
  const connectionOf = (id: string, address: string): FakeConnection => {
    const connection = new FakeConnection(id);
    addresses.set(connection.request, address);
    return connection;
  };
  let engine: EventEmitter;
  beforeEach(() => {
    addresses.clear();
    engine = Object.assign(new EventEmitter(), { use: () => {} });
    limits = new EngineLimits({
      addressOf: (request) => addresses.get(request) ?? '',
      sessions: { inAll: 6, perHolder: 4 },
      bodies: new SharedBudget({ inAll: 1, perHolder: 1 }),
      maxBodyBytes: 1,
    });
    limits.watch(engine as unknown as Engine);
  });
  const arrive = (address: string): { connection: FakeConnection; isAllowed: boolean } => {
    const connection = connectionOf(`arrival-${addresses.size}`, address);
    let isAllowed = false;
    limits.allowRequest(connection.request as IncomingMessage, (_error, allowed) => {
      isAllowed = allowed;
    });
    if (isAllowed) engine.emit('connection', connection);
    return { connection, isAllowed };
  };
  const arriveAll = (count: number, address: string): FakeConnection[] =>
    Array.from({ length: count }, () => arrive(address).connection);

  it('a new one takes the place of the oldest of the address that has most', () => {
    const many = arriveAll(4, '192.0.2.1');
    const few = arriveAll(2, '192.0.2.2');
    expect(arrive('192.0.2.3').isAllowed).toBe(true);
    expect(many.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false]);
    expect(few.some(({ isClosed }) => isClosed)).toBe(false);
  });

  it('an address with all that it may have loses its own oldest, and no other one does', () => {
    const others = arriveAll(1, '192.0.2.2');
    const own = arriveAll(4, '192.0.2.1');
    expect(arrive('192.0.2.1').isAllowed).toBe(true);
    expect(own.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false]);
    expect(others.some(({ isClosed }) => isClosed)).toBe(false);
  });

  it('one in which a key was shown stays, and takes no place', () => {
    const [first, ...others] = arriveAll(4, '192.0.2.1');
    if (first === undefined) throw new Error('none came');
    limits.admitted(first as unknown as Connection);
    arriveAll(3, '192.0.2.1');
    expect(first.isClosed).toBe(false);
    expect(others.filter(({ isClosed }) => isClosed)).toHaveLength(2);
  });
});
