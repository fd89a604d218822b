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
