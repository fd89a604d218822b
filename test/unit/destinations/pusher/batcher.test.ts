import type { HttpExchange, HttpResult } from '../../../../src/destinations/http/exchange';
import { Batcher } from '../../../../src/destinations/pusher/batcher';
import type { Outcome } from '../../../../src/pipeline/delivery';

const LINGER_MS = 5;
const DELIVERED: Outcome = { kind: 'delivered' };

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

function setup() {
  const bodies: string[] = [];
  const outcome = Promise.resolve<HttpResult>({
    kind: 'answer',
    status: 200,
    text: '',
    retryAfter: undefined,
  });
  const send = (body: Buffer) => {
    bodies.push(body.toString());
    return { outcome } as HttpExchange<HttpResult>;
  };
  const limits = { lingerMs: LINGER_MS, timeoutMs: 1000, maxRequests: 4 };
  const batcher = new Batcher({ send, toOutcome: () => DELIVERED, ...limits });
  return { batcher, bodies };
}

test.each([-3_600_000, 3_600_000])(
  'an event is sent in time although the clock is set by %i ms meanwhile',
  async (ms) => {
    const { batcher, bodies } = setup();
    const { outcome } = batcher.add({ channel: 'c', name: 'call', data: '{}' });
    jest.setSystemTime(Date.now() + ms);
    await jest.advanceTimersByTimeAsync(2 * LINGER_MS);
    expect(bodies).toHaveLength(1);
    expect(await outcome).toEqual(DELIVERED);
  },
);
