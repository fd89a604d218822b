import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { watchSocket } from '../../../src/redis/socket-watch';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** As much as is looked at of a socket. */
class Line extends EventEmitter {
  bytesWritten = 0;
  readonly writableLength = 0;
  late = 0;

  constructor() {
    super();
    watchSocket(this as unknown as Socket, { silentMs: 10_000, onLate: () => this.late++ });
  }
}

describe('a connection that is watched', () => {
  test('much is asked, and answered at once: that is never late, although something is owed at every look', () => {
    const line = new Line();
    for (let ms = 0; ms < 20_000; ms += 20) {
      line.bytesWritten += 100;
      jest.advanceTimersByTime(20);
      line.bytesWritten += 100;
      line.emit('data');
      line.bytesWritten += 100;
    }
    expect(line.late).toBe(0);
    line.emit('close');
  });

  test('an answer that comes after seconds is late', () => {
    const line = new Line();
    line.bytesWritten += 100;
    jest.advanceTimersByTime(3000);
    line.emit('data');
    expect(line.late).toBe(1);
    line.emit('close');
  });
});
