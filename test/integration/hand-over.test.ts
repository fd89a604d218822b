import { MovingWorld, PUSHER, URL_OF_LOJA } from '../support/harness/moving-world';

jest.setTimeout(120_000);

let world: MovingWorld;
beforeEach(async () => {
  world = await MovingWorld.start();
});
afterEach(() => world.stop());

describe('--hand-over and --hand-back', () => {
  test('without --apply they say what they would move, and what they could not, and move nothing', async () => {
    world.shop();
    world.core.add('norte', { webhook: { url: 'http://10.0.0.7/hook' } });
    const { code, stdout, stderr } = await world.move('--hand-over');
    expect(stdout).toContain('would be handed over: loja: webhook, pusher');
    expect(stdout).not.toContain('handed over: norte');
    expect(stdout).toContain('nothing was handed over: --apply does it');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('would not be handed over: "norte": webhook.url'),
    ]);
    expect(world.core.row('loja', 'webhook')).toMatchObject({ enabled: true });
    expect(await world.stored()).toEqual([]);
    await world.move('--apply', '--hand-over', '--instance', 'loja', '--sections', 'pusher');
    expect((await world.move('--hand-over')).stdout).toContain('would be handed over: loja: webhook\n');
    expect((await world.move('--hand-back')).stdout).toMatch(/loja +pusher\n1 instance would be handed back/);
    expect(world.core.row('loja', 'pusher')).toMatchObject({ enabled: false });
  });

  test('a hand-back of some sections alone is refused: of the others nobody would know any more that both deliver', async () => {
    world.shop();
    await world.move('--apply', '--hand-over');
    const { code, stderr } = await world.move('--apply', '--hand-back', '--sections', 'webhook');
    expect([code, stderr]).toEqual([2, expect.stringContaining('--sections: says what --hand-over moves')]);
    expect(world.core.row('loja', 'pusher')).toMatchObject({ enabled: false });
    expect((await world.move('--apply', '--hand-back')).stdout).toContain(
      'handed back: loja: webhook, pusher',
    );
  });

  test('switch the core off and on again, exactly as it was; the other way round here', async () => {
    world.shop();
    const before = [
      world.core.row('loja', 'webhook'),
      world.core.row('loja', 'pusher'),
      world.core.row('loja', 'websocket'),
    ];
    expect((await world.move('--apply', '--hand-over')).stdout).toContain(
      'handed over: loja: webhook, pusher',
    );
    expect([world.core.row('loja', 'webhook'), world.core.row('loja', 'pusher')]).toMatchObject([
      { enabled: false, url: URL_OF_LOJA },
      { enabled: false },
    ]);
    const here = await world.stored();
    expect(here).toMatchObject([
      { webhook: { enabled: true, events: ['MESSAGES_UPSERT'] }, pusher: { enabled: true } },
    ]);
    // A further import does not take what was switched off for what is wanted; nothing is handed over twice.
    expect((await world.move('--apply', '--hand-over')).stdout).toContain('0 instances handed over');
    expect(await world.stored()).toEqual(here);
    const back = await world.move('--apply', '--hand-back');
    expect(back.stdout).toContain('1 instance handed back');
    expect([
      world.core.row('loja', 'webhook'),
      world.core.row('loja', 'pusher'),
      world.core.row('loja', 'websocket'),
    ]).toEqual(before);
    // What is parked is delivered still, and nothing new.
    const events = ['APPLICATION_STARTUP'];
    expect(await world.stored()).toMatchObject([
      { webhook: { enabled: true, events }, pusher: { enabled: true, events } },
    ]);
    expect((await world.move('--apply')).stdout).toContain('0 imported');
    expect((await world.move('--apply', '--hand-back')).stdout).toContain('0 instances handed back');
    await world.move('--apply', '--hand-over');
    expect(await world.stored()).toMatchObject([{ webhook: { enabled: true, events: ['MESSAGES_UPSERT'] } }]);
  });

  test('a webhook with base64 stays on at the core, for an event that never comes: media would lack otherwise', async () => {
    world.core.add('loja', { webhook: { url: URL_OF_LOJA, base64: true } });
    const before = world.core.row('loja', 'webhook');
    await world.move('--apply', '--hand-over');
    expect(world.core.row('loja', 'webhook')).toMatchObject({
      enabled: true,
      webhookBase64: true,
      events: ['APPLICATION_STARTUP'],
    });
    expect(await world.stored()).toMatchObject([{ webhook: { enabled: true, base64: true, events: [] } }]);
    expect((await world.move('--apply', '--hand-over')).stdout).toContain('0 instances handed over');
    await world.move('--apply', '--hand-back');
    expect(world.core.row('loja', 'webhook')).toEqual(before);
  });

  test('only the sections and instances that are named', async () => {
    world.shop();
    world.core.add('norte', { webhook: { url: URL_OF_LOJA } });
    await world.move('--apply', '--hand-over', '--instance', 'loja', '--sections', 'webhook');
    expect(world.core.row('loja', 'webhook')).toMatchObject({ enabled: false });
    expect(world.core.row('loja', 'pusher')).toMatchObject({ enabled: true });
    expect(world.core.row('norte', 'webhook')).toMatchObject({ enabled: true });
  });

  test('an instance whose events reach no source is not handed over: exit 1', async () => {
    world.core.add('loja', { webhook: { url: URL_OF_LOJA } });
    const { code, stderr } = await world.run(
      ['settings', 'import', '--from-core', world.core.url, '--apply', '--hand-over'],
      { RABBITMQ_GLOBAL_ENABLED: 'false' },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('not handed over: "loja": its events reach no source of the relay');
    expect(world.core.row('loja', 'webhook')).toMatchObject({ enabled: true });
  });

  test('events that no source brings are named, before and after: once the core delivers them no more, nobody does', async () => {
    world.core.add('loja', { webhook: { url: URL_OF_LOJA, events: ['MESSAGES_UPSERT', 'CALL'] } });
    const handOver = ['settings', 'import', '--from-core', world.core.url, '--hand-over'];
    const line =
      'warning: "loja": webhook.events: no source brings CALL, which RABBITMQ_EVENTS_… must name as well';
    for (const args of [handOver, [...handOver, '--apply']]) {
      const { code, stderr } = await world.run(args, { RABBITMQ_EVENTS_MESSAGES_UPSERT: 'true' });
      expect([code, stderr.split('\n').filter((each) => each.startsWith(line)).length]).toEqual([0, 1]);
    }
  });

  test('without a worker nothing is handed over: nobody would consume what the core publishes', async () => {
    world.shop();
    await world.noWorker();
    expect((await world.move('--hand-over')).stderr).toContain(
      'would not be handed over: no worker of the relay runs',
    );
    const { code, stderr } = await world.move('--apply', '--hand-over');
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining('nothing was handed over: no worker of the relay runs'),
    ]);
    expect(world.core.row('loja', 'webhook')).toMatchObject({ enabled: true });
  });

  test('a section by which the relay delivers nothing stays on at the core, and the others are handed over: exit 1', async () => {
    world.core.add('loja', { webhook: { url: URL_OF_LOJA }, websocket: {}, pusher: PUSHER });
    const switchedOff = { WEBSOCKET_ENABLED: 'false', PUSHER_ENABLED: 'false' };
    const handOver = ['settings', 'import', '--from-core', world.core.url, '--apply', '--hand-over'];
    const { code, stdout, stderr } = await world.run(handOver, switchedOff);
    expect([code, stdout]).toEqual([1, expect.stringContaining('handed over: loja: webhook\n')]);
    expect(stderr).toContain('not handed over: "loja": websocket: WEBSOCKET_ENABLED is not true');
    expect(stderr).toContain('not handed over: "loja": pusher: PUSHER_ENABLED is false');
    expect(world.core.row('loja', 'websocket')).toMatchObject({ enabled: true });
    expect(world.core.row('loja', 'pusher')).toMatchObject({ enabled: true });
    const { stdout: rest } = await world.run(handOver, { WEBSOCKET_ENABLED: 'true' });
    expect(rest).toContain('handed over: loja: pusher, websocket\n');
  });

  test('what the relay would refuse is not switched off at the core: exit 1', async () => {
    world.core.add('loja', { webhook: { url: 'http://10.0.0.7/hook' } });
    const { code, stderr } = await world.move('--apply', '--hand-over');
    expect(code).toBe(1);
    expect(stderr).toContain('WEBHOOK_ALLOWED_NETWORKS');
    expect(world.core.row('loja', 'webhook')).toMatchObject({ enabled: true });
    expect((await world.move('--apply', '--hand-back')).stdout).toContain('0 instances handed back');
  });

  test('a hand-over that was cut is gone on with, and can be handed back', async () => {
    for (const name of ['a', 'b', 'c']) world.core.add(name, { webhook: { url: `${URL_OF_LOJA}/${name}` } });
    const before = ['a', 'b', 'c'].map((name) => world.core.row(name, 'webhook'));
    let sets = 0;
    world.core.front = ({ method }) =>
      method === 'POST' && ++sets > 1
        ? { status: 401, type: 'application/json', body: '{"status":401}' }
        : undefined;
    const cut = await world.move('--apply', '--hand-over');
    expect(cut.code).toBe(1);
    expect(cut.stdout).toMatch(/handed over: [abc]: webhook\n1 instance handed over/);
    const both = 'delivered by both, the core and the relay, until this is run again';
    expect(cut.stderr.split('\n').filter((line) => line.startsWith(both)).length).toBe(2);
    world.core.front = () => undefined;
    const rest = await world.move('--apply', '--hand-over');
    expect(rest.stdout).toContain('2 instances handed over');
    expect(rest.stderr).not.toContain(both);
    expect(['a', 'b', 'c'].map((name) => world.core.row(name, 'webhook')?.['enabled'])).toEqual([
      false,
      false,
      false,
    ]);
    await world.move('--apply', '--hand-back');
    expect(['a', 'b', 'c'].map((name) => world.core.row(name, 'webhook'))).toEqual(before);
  });
});
