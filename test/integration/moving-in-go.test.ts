import { MovingWorld } from '../support/harness/moving-world';
import { HttpTarget, respond } from '../support/servers/http-target';

jest.setTimeout(120_000);

let world: MovingWorld;
beforeEach(async () => {
  world = await MovingWorld.start();
});
afterEach(() => world.stop());

describe('evolution-go', () => {
  const row = {
    id: '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10',
    name: 'vendas',
    token: 'token-of-vendas',
    webhook: 'https://example.com/vendas',
    rabbitmqEnable: 'global',
    websocketEnable: '',
    events: 'MESSAGE,CALL',
  };
  let go: HttpTarget;
  beforeEach(async () => {
    go = await HttpTarget.start();
    const list = JSON.stringify({ message: 'success', data: [row] });
    const all = respond(200, { 'content-type': 'application/json' }, list);
    const nothing = respond(404, { 'content-type': 'text/plain' }, '404 page not found');
    go.answer = (response, request) => (request.path === '/instance/all' ? all : nothing)(response, request);
  });
  afterEach(() => go.stop());

  test('is recognised by its routes, and its webhooks are imported', async () => {
    const { code, stdout } = await world.run(['settings', 'import', '--from-core', go.url, '--apply']);
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'evolution-go: 1 instance; 1 imported',
    });
    expect(stdout).toMatch(/vendas +webhook +new, off; evolution-go delivers it until it is cleared there/);
    expect(stdout).not.toContain('--hand-over');
    expect(await world.stored()).toMatchObject([
      { instanceName: 'vendas', webhook: { enabled: false, url: row.webhook, events: ['MESSAGE', 'CALL'] } },
    ]);
  });

  test('has no route to be handed over by: exit 2, and nothing was changed', async () => {
    const { code, stderr } = await world.run([
      'settings',
      'import',
      '--from-core',
      go.url,
      '--apply',
      '--hand-over',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('clear the webhook of each instance there');
    expect(await world.stored()).toEqual([]);
  });
});
