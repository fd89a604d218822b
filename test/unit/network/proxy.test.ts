import type { Duplex } from 'node:stream';
import type { Pool } from 'undici';
import { toOutcome } from '../../../src/destinations/http/answer';
import { HttpExchange, type HttpResult } from '../../../src/destinations/http/exchange';
import { AddressGuard } from '../../../src/network/address-guard';
import { createHttpClient } from '../../../src/network/http-client';
import { proxyFor } from '../../../src/network/proxy-rules';
import { tunnelConnector } from '../../../src/network/proxy-tunnel';
import type { Outcome } from '../../../src/pipeline/delivery';
import { ConnectProxy } from '../../support/proxies/connect-proxy';
import { HttpTarget, refusedUrl } from '../../support/servers/http-target';

/** Goes on for as long as the other side reads. */
function drip(socket: Duplex, bytes: string, first = ''): void {
  socket.write(first);
  const timer = setInterval(() => socket.write(bytes), 20);
  socket.on('close', () => clearInterval(timer));
}

describe('which proxy', () => {
  const rules = {
    http: 'http://proxy:3128',
    https: 'http://secure-proxy:3128',
    except: ['internal.example', '.lan', 'one.example:8443', '10.0.0.5'],
  };

  test.each([
    ['http://example.com', 'proxy:3128'],
    ['https://api-eu.pusher.com', 'secure-proxy:3128'],
    ['https://notinternal.example', 'secure-proxy:3128'],
    ['https://one.example', 'secure-proxy:3128'],
    ['http://internal.example', undefined],
    ['http://n8n.internal.example:5678', undefined],
    ['http://n8n.lan', undefined],
    ['https://one.example:8443', undefined],
    ['http://10.0.0.5:5678', undefined],
    ['http://localhost:5678', undefined],
    ['http://127.0.0.1:5678', undefined],
    ['http://[::1]:5678', undefined],
  ])('%s: %s', (origin, host) => {
    expect(proxyFor(origin, rules)?.host).toBe(host);
  });

  test('* is for all, and without a proxy there is none', () => {
    expect(proxyFor('https://example.com', { ...rules, except: ['*'] })).toBeUndefined();
    expect(
      proxyFor('https://example.com', { http: rules.http, https: undefined, except: [] }),
    ).toBeUndefined();
  });
});

describe('by way of a proxy', () => {
  let proxy: ConnectProxy;
  let target: HttpTarget;
  let pool: Pool | undefined;
  beforeEach(async () => {
    proxy = await ConnectProxy.start();
    target = await HttpTarget.start();
  });
  afterEach(async () => {
    await pool?.destroy();
    await proxy.stop();
    await target.stop();
  });

  async function post(origin: string, at: string = proxy.url, guard?: AddressGuard): Promise<Outcome> {
    const addressOf = guard === undefined ? {} : { addressOf: (name: string) => guard.addressOf(name) };
    const connector = tunnelConnector(new URL(at), { timeoutMs: 2000, ...addressOf });
    pool = createHttpClient(origin, { connections: 1, connectTimeoutMs: 2000, connector });
    const asOutcome = (result: HttpResult) => toOutcome(result, new Set([400]), Date.now());
    return new HttpExchange(pool, { path: '/hook', headers: [], body: Buffer.from('{}') }, asOutcome).outcome;
  }

  test('a request arrives, with the credentials for the proxy alone', async () => {
    const at = proxy.url.replace('//', '//user:p%40ss@');
    expect(await post(target.url, at)).toMatchObject({ kind: 'delivered' });
    expect(proxy.asked.all).toEqual([
      { authority: new URL(target.url).host, authorization: `Basic ${btoa('user:p@ss')}` },
    ]);
    expect(target.received.all[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  test('credentials that it does not take spend no attempt', async () => {
    proxy.refusal = 407;
    expect(await post(target.url)).toEqual({ kind: 'interrupted', code: 'PROXY_AUTHENTICATION' });
  });

  test.each([403, 500])(
    'one destination that it refuses with %d is at fault; several are not',
    async (status) => {
      proxy.refusal = status;
      const code = 'PROXY_REFUSED';
      for (let round = 0; round < 4; round++) {
        expect(await post('http://refused.example')).toEqual({ kind: 'failed', code });
        await pool?.destroy();
      }
      await post('http://refused-too.example');
      await pool?.destroy();
      expect(await post('http://all-refused.example')).toEqual({ kind: 'interrupted', code });
      await pool?.destroy();
      proxy.refusal = undefined;
      expect(await post(target.url)).toMatchObject({ kind: 'delivered' });
      await pool?.destroy();
      proxy.refusal = status;
      expect(await post('http://refused.example')).toEqual({ kind: 'failed', code });
    },
  );

  test.each([
    ['says nothing', () => {}],
    ['never ends its headers', (socket: Duplex) => drip(socket, 'x-header: 1\r\n', 'HTTP/1.1 200 OK\r\n')],
    [
      'floods with headers',
      (socket: Duplex) => socket.write(`HTTP/1.1 200 OK\r\n${'a:b\r\n'.repeat(100_000)}`),
    ],
    ['resets', (socket: Duplex) => socket.destroy()],
    ['speaks another protocol', (socket: Duplex) => socket.write('SSH-2.0-OpenSSH\r\n')],
  ])('that was reached and then %s ends in time, as a failure of that one destination', async (_, behave) => {
    proxy.behaviour = behave;
    expect(await post(target.url)).toEqual({ kind: 'failed', code: 'PROXY_UNREACHED' });
  });

  test('a proxy that is away spends no attempt', async () => {
    expect(await post(target.url, await refusedUrl())).toEqual({
      kind: 'interrupted',
      code: 'PROXY_UNREACHABLE',
    });
  });

  test('a receiver that the proxy does not reach is a failure of the receiver', async () => {
    expect(await post(await refusedUrl())).toEqual({ kind: 'failed', code: 'PROXY_UNREACHED' });
  });

  test("a tenant's name is resolved and judged here; the proxy is given the address", async () => {
    const answer = (address: string) =>
      new AddressGuard([], (_name, _options, callback) => callback(null, [{ address, family: 4 }]));
    expect(await post('http://tenant.example:8080', proxy.url, answer('10.0.0.1'))).toMatchObject({
      kind: 'failed',
      code: 'ADDRESS_REFUSED',
    });
    expect(await post('http://10.0.0.1', proxy.url, answer('8.8.8.8'))).toMatchObject({
      code: 'ADDRESS_REFUSED',
    });
    expect(proxy.asked.all).toHaveLength(0);
    proxy.redirect = new URL(target.url).host;
    expect(await post('http://tenant.example:8080', proxy.url, answer('8.8.8.8'))).toMatchObject({
      kind: 'delivered',
    });
    expect(proxy.asked.all[0]?.authority).toBe('8.8.8.8:8080');
    expect(target.received.all[0]?.headers.host).toBe('tenant.example:8080');
  });
});
