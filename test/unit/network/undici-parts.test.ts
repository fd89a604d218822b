import * as undici from 'undici';
import { makeAgent, makeConnector, makePool } from '../../../src/network/undici-parts';

describe('the parts of undici that are loaded alone', () => {
  it('are those that its index has', async () => {
    const pool = makePool('http://127.0.0.1:1', {});
    const agent = makeAgent({});
    expect(pool).toBeInstanceOf(undici.Pool);
    expect(agent).toBeInstanceOf(undici.Agent);
    expect(makeConnector).toBe(undici.buildConnector);
    await Promise.all([pool.destroy(), agent.destroy()]);
  });

  it('can do requests, also where its index was never loaded', () => {
    const pool = makePool('http://127.0.0.1:1', {});
    expect(typeof pool.request).toBe('function');
    return pool.destroy();
  });
});
