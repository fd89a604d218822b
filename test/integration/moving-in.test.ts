import { MovingWorld, PUSHER, URL_OF_LOJA } from '../support/harness/moving-world';
import { idOf } from '../support/servers/core-api';
import { HttpTarget } from '../support/servers/http-target';

jest.setTimeout(120_000);

let world: MovingWorld;
beforeEach(async () => {
  world = await MovingWorld.start();
});
afterEach(() => world.stop());

describe('settings import --from-core', () => {
  test('shows what would change, no secret among it, and changes nothing', async () => {
    world.shop();
    world.core.add('norte');
    const { code, stdout, stderr } = await world.move();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/loja +webhook +new, off; the core API delivers it until --hand-over/);
    expect(stdout).toContain('Evolution API: 2 instances; 2 would change');
    expect(stdout).toContain('nothing was changed');
    expect(stdout).not.toContain('s3cr3t');
    expect(await world.stored()).toEqual([]);
  });

  test('the gateway of a relay is not taken for a core: handed over, its instances would be switched off where they are on', async () => {
    world.core.front = ({ path }) =>
      path === '/instance/fetchInstances'
        ? {
            status: 200,
            type: 'application/json',
            body: JSON.stringify([{ name: 'loja', clientName: 'evolution-relay' }]),
          }
        : undefined;
    for (const args of [[], ['--apply', '--hand-over']]) {
      const { code, stdout, stderr } = await world.move(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/gateway of a relay, not the core API/);
    }
  });

  test('both directions at once are refused before anything is asked', async () => {
    const { code, stderr } = await world.move('--hand-over', '--hand-back');
    expect([code, stderr]).toEqual([2, expect.stringContaining('give one of them')]);
    expect(world.core.requests).toBe(0);
  });

  test('--apply stores what the core has; what the core delivers is off here until it is handed over', async () => {
    world.shop();
    expect((await world.move('--apply')).code).toBe(0);
    expect(await world.stored()).toMatchObject([
      {
        instanceName: 'loja',
        instanceId: idOf('loja'),
        token: 'token-of-loja',
        webhook: {
          enabled: false,
          url: URL_OF_LOJA,
          headers: { 'x-key': 's3cr3t' },
          byEvents: true,
          base64: false,
          events: ['MESSAGES_UPSERT'],
        },
        pusher: { ...PUSHER, enabled: false, events: [] },
        websocket: { enabled: false },
        // The global exchange brings its events.
        rabbitmq: { enabled: false, events: ['CALL'] },
      },
    ]);
  });

  test('consumes the exchange of an instance where no global one brings its events', async () => {
    world.shop();
    await world.run(['settings', 'import', '--from-core', world.core.url, '--apply'], {
      RABBITMQ_GLOBAL_ENABLED: 'false',
    });
    expect(await world.stored()).toMatchObject([{ rabbitmq: { enabled: true, events: ['CALL'] } }]);
  });

  test('importing twice changes nothing, and fields of the relay’s own stay', async () => {
    world.shop();
    await world.move('--apply');
    await world.run([
      'settings',
      'set',
      'loja',
      JSON.stringify({ webhooks: { n8n: { url: 'https://example.com/n8n' } } }),
    ]);
    const before = await world.stored();
    const again = await world.move('--apply');
    expect(again.stdout).toContain('0 imported');
    expect(await world.stored()).toEqual(before);
  });

  test('a change at the core is the only change of the next import', async () => {
    world.shop();
    await world.move('--apply');
    world.core.add('loja', { webhook: { url: 'https://example.com/other' } });
    const { stdout } = await world.move();
    expect(stdout).toMatch(/webhook +changes url, headers, byEvents, events|webhook +changes /);
    expect(stdout).toContain('1 would change');
  });

  test('an instance that cannot be taken is named, and the others are imported: exit 1', async () => {
    world.core.add('wrong', { webhook: { url: 'ftp://example.com' } });
    world.shop();
    const { code, stderr } = await world.move('--apply');
    expect(code).toBe(1);
    expect(stderr).toContain('not imported: "wrong": webhook.url');
    expect(await world.stored()).toMatchObject([{ instanceName: 'loja' }]);
  });

  // The last one is half a character, of which no address can be made.
  test.each(['x'.repeat(256), 'two\nlines', 'half\ud800'])(
    'what cannot be set by any other way is not imported either: a name such as %j',
    async (name) => {
      world.core.add(name, { webhook: { url: URL_OF_LOJA } });
      world.shop();
      const { code, stderr } = await world.move('--apply');
      expect(code).toBe(1);
      expect(stderr).toContain('instance: must be the name of an instance');
      expect(await world.stored()).toMatchObject([{ instanceName: 'loja' }]);
    },
  );

  test('a transport that the core has switched off says nothing about it', async () => {
    world.shop();
    world.core.off.add('pusher');
    await world.move('--apply');
    const [loja] = await world.stored();
    expect(loja).not.toHaveProperty('pusher');
  });

  test('thousands of instances: few requests at once', async () => {
    for (let index = 0; index < 600; index++)
      world.core.add(`instance-${index}`, { webhook: { url: `${URL_OF_LOJA}/${index}` } });
    const { code, stdout } = await world.move('--apply');
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'Evolution API: 600 instances; 600 imported',
    });
    expect(world.core.peak).toBeLessThanOrEqual(10);
  });

  test('an import that was cut goes on where it was', async () => {
    for (let index = 0; index < 40; index++) world.core.add(`instance-${index}`, { websocket: {} });
    let reads = 0;
    world.core.front = ({ path }) => {
      if (path.includes('/find/')) reads++;
      return reads > 100
        ? { status: 401, type: 'application/json', body: '{"status":401,"error":"Unauthorized"}' }
        : undefined;
    };
    expect((await world.move('--apply')).code).toBe(1);
    const first = (await world.stored()).length;
    expect(first).toBeGreaterThan(5);
    world.core.front = () => undefined;
    const before = world.core.requests;
    const { code, stdout } = await world.move('--apply');
    expect(code).toBe(0);
    expect(stdout).toContain(`${first} of them imported by the run before`);
    expect((await world.stored()).length).toBe(40);
    expect(world.core.requests - before).toBe(1 + (40 - first) * 5);
    // The next one begins anew.
    expect((await world.move('--apply')).stdout).toContain('Evolution API: 40 instances; 0 imported');
  });

  test.each([
    [
      'a web page',
      200,
      'text/html',
      '<!DOCTYPE html><title>nginx</title>',
      'is a web page (HTTP 200), not the core API',
    ],
    [
      'a web page of a proxy that finds nothing',
      404,
      'text/html',
      '<html></html>',
      'is a web page (HTTP 404)',
    ],
    ['no such route', 404, 'application/json', '{"status":404}', 'there is no core API at'],
    ['something that is no JSON', 200, 'text/plain', 'hello', 'its answer (HTTP 200) is no JSON'],
    [
      'no list',
      200,
      'application/json',
      '{"status":200}',
      'no list of instances; give the address that its clients use',
    ],
    [
      'a list of something else',
      200,
      'application/json',
      '[{"title":"a post"},[]]',
      'no list of instances; give the address that its clients use',
    ],
    [
      'a core that is not activated',
      503,
      'application/json',
      '{"error":"service not activated","code":"LICENSE_REQUIRED","register_url":"https://example.com/register"}',
      'not activated (LICENSE_REQUIRED): activate it at https://example.com/register',
    ],
  ])('%s is named in plain words: exit 1', async (_what, status, type, body, words) => {
    world.core.front = () => ({ status, type, body });
    const { code, stderr } = await world.move();
    expect(code).toBe(1);
    expect(stderr).toContain(words);
  });

  test('a redirect is named and not followed: the key goes nowhere else', async () => {
    const elsewhere = await HttpTarget.start();
    try {
      world.core.front = ({ path }) => ({
        ...{ status: 301, type: 'text/html', body: '<html>Moved</html>' },
        location: `${elsewhere.url}${path}`,
      });
      const { code, stderr } = await world.move();
      expect(code).toBe(1);
      expect(stderr).toContain(`redirects to ${elsewhere.url}/instance/fetchInstances (HTTP 301)`);
      expect(elsewhere.received.all).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  test('a wrong key is named, and so is what the key must be: exit 1', async () => {
    const { code, stderr } = await world.move('--key', 'token-of-loja');
    expect(code).toBe(1);
    expect(stderr).toContain('must be its global key and not that of an instance');
  });

  test('a proxy that does not reach the core is asked again', async () => {
    world.shop();
    let answered = 0;
    world.core.front = () =>
      answered++ < 2 ? { status: 503, type: 'text/html', body: '<html>503</html>' } : undefined;
    const { stdout, stderr } = await world.move();
    expect(stdout).toContain('1 would change');
    // Somebody waits meanwhile, with a core that hangs for minutes.
    expect(stderr).toMatch(/does not serve at the moment \(HTTP 503\).*: trying again in \d\.\d s/);
  });

  test('wrong usage: exit 2, with what is right', async () => {
    const wrong = [
      await world.run(['settings', 'import']),
      await world.run(['settings', 'import', 'file.json', '--apply']),
      await world.run(['settings', 'import', 'file.json', '--from-core', world.core.url]),
      await world.run(['settings', 'import', '--from-core', 'localhost']),
      await world.run(['settings', 'import', '--from-core', `${world.core.url}/?page=1`]),
      await world.move('--hand-over', '--hand-back'),
      await world.move('--hand-over', '--sections', 'webhok'),
      await world.move('--apply', '--sections', 'webhook'),
      await world.move('--apply', '--hand-back', '--sections', 'webhook'),
      await world.move('--instance', 'nobody'),
      await world.run(['settings', 'import', '--from-core', world.core.url], { AUTHENTICATION_API_KEY: '' }),
    ];
    expect(wrong.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    expect(wrong.map(({ stderr }) => stderr.length > 10)).not.toContain(false);
  });

  test('a password in the address is refused and not repeated, as it would be sent to nobody: exit 2', async () => {
    const address = world.core.url.replace('http://', 'http://user:p4ssw0rd@');
    const { code, stderr } = await world.run(['settings', 'import', '--from-core', address]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evolution-relay: --from-core: must .*--key/)]);
    expect(stderr).not.toContain('p4ssw0rd');
    expect(world.core.requests).toBe(0);
  });

  test.each(['two\nlines', 'ключ'])('a key that no header can hold is named as that: %j', async (key) => {
    const { code, stderr } = await world.move('--key', key);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^evolution-relay: --key: .*ASCII/)]);
    expect(stderr).not.toContain(key);
  });
});
