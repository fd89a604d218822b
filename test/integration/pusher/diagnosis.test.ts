import type { Pool } from 'undici';
import { diagnose } from '../../../src/destinations/pusher/diagnosis';
import { createHttpClient } from '../../../src/network/http-client';
import { CREDENTIALS } from '../../support/pusher/destination';
import type { PusherApp } from '../../support/pusher/rules';
import { PusherServer } from '../../support/pusher/server';
import { refusedUrl } from '../../support/servers/http-target';

describe('what is the matter with an app', () => {
  let app: PusherApp;
  let server: PusherServer;
  let client: Pool;
  beforeEach(async () => {
    app = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
    server = await PusherServer.start([app]);
    client = createHttpClient(`http://127.0.0.1:${server.port}`, { connections: 1, connectTimeoutMs: 2000 });
  });
  afterEach(async () => {
    await client.destroy();
    await server.stop();
  });

  test('nothing', async () => {
    expect(await diagnose(CREDENTIALS, client, 10_240)).toEqual({
      trouble: undefined,
      detail: '',
      remedy: '',
    });
  });

  test.each([
    ['a wrong secret', { secret: 'wrong' }, 'wrong-credentials', 'Invalid signature'],
    ['a wrong key', { key: 'wrong' }, 'wrong-credentials', 'Unknown auth_key'],
    ['a wrong cluster', { appId: '9' }, 'unknown-app', 'does not exist'],
  ])('%s', async (_what, others, finding, words) => {
    expect(await diagnose({ ...CREDENTIALS, ...others }, client, 10_240)).toEqual({
      trouble: finding,
      detail: expect.stringContaining(words),
      remedy: expect.stringMatching(/app id/),
    });
  });

  test.each(['disabled', 'overQuota'] as const)('the app is %s', async (what) => {
    app[what] = true;
    expect(await diagnose(CREDENTIALS, client, 10_240)).toMatchObject({ trouble: 'over-quota-or-suspended' });
  });

  test('the plan takes less than is configured', async () => {
    expect(await diagnose(CREDENTIALS, client, 20_480)).toMatchObject({
      trouble: 'too-large',
      detail: expect.stringContaining('10240'),
      remedy: expect.stringContaining('PUSHER_MAX_EVENT_BYTES'),
    });
  });

  test('our clock is off', async () => {
    server.misbehaviour = () => ({
      status: 401,
      headers: { date: new Date(Date.now() + 700_000).toUTCString() },
      body: 'Timestamp expired',
    });
    expect(await diagnose(CREDENTIALS, client, 10_240)).toMatchObject({ trouble: 'wrong-clock' });
  });

  test('Pusher is in trouble, or cannot be reached', async () => {
    server.misbehaviour = () => ({ status: 500 });
    expect(await diagnose(CREDENTIALS, client, 10_240)).toMatchObject({ trouble: 'failing', detail: '500' });
    const nobody = createHttpClient(await refusedUrl(), { connections: 1, connectTimeoutMs: 2000 });
    expect(await diagnose(CREDENTIALS, nobody, 10_240)).toMatchObject({
      trouble: 'unreachable',
      detail: expect.stringMatching(/^ECONNREFUSED /),
      // An app may be an instance's own: no variable is to be set for that.
      remedy: expect.not.stringContaining('PUSHER_GLOBAL'),
    });
    await nobody.destroy();
  });
});
