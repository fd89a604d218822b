import type { EndedSessions } from '../../../src/dashboard/ended-sessions';
import { IDLE_MS, LONGEST_MS, SessionCookies } from '../../../src/dashboard/session-cookies';
import type { Viewer } from '../../../src/dashboard/viewer';
import { digest } from '../../../src/http-api/keys';

const VIEWERS: readonly Viewer[] = [
  { kind: 'operator' },
  { kind: 'reader' },
  { kind: 'instance', instance: 'lója 商店' },
];

interface World {
  now: number;
  token: string | undefined;
}

/** @param aheadMs the clock of another gateway is so far ahead */
function setup({ apiKey = 'operator-key', readKey = 'read-key', aheadMs = 0 } = {}): {
  readonly world: World;
  readonly cookies: SessionCookies;
  readonly others: SessionCookies;
} {
  const world: World = { now: 1_000_000, token: 'token' };
  const tokenDigestOf = (): Buffer | undefined =>
    world.token === undefined ? undefined : digest(world.token);
  const ids = new Map<string, number>();
  const ended: Pick<EndedSessions, 'add' | 'has'> = {
    add: async (_viewer, session, ms) => void ids.set(session, world.now + ms),
    has: async (_viewer, session) => (ids.get(session) ?? 0) > world.now,
  };
  const parts = { apiKey, readKey, tokenDigestOf, ended };
  const cookies = new SessionCookies({ ...parts, now: () => world.now });
  const others = new SessionCookies({ ...parts, now: () => world.now + aheadMs });
  return { world, cookies, others };
}

describe('a session', () => {
  test.each(VIEWERS)('of %p is what was begun', async (viewer) => {
    const { cookies } = setup();
    expect(await cookies.open(await cookies.begin(viewer))).toMatchObject({ viewer, begun: 1_000_000 });
  });

  test('ends an hour after the last request, and is given anew by requests', async () => {
    const { world, cookies } = setup();
    const cookie = await cookies.begin({ kind: 'operator' });
    expect(cookies.renewed(cookie)).toBeUndefined();
    world.now += IDLE_MS - 1;
    expect(await cookies.open(cookie)).toBeDefined();
    const renewed = cookies.renewed(cookie);
    world.now += 1;
    expect(await cookies.open(cookie)).toBeUndefined();
    expect(await cookies.open(renewed)).toMatchObject({ begun: 1_000_000 });
  });

  test('ends after twelve hours, however busy it is', async () => {
    const { world, cookies } = setup();
    let cookie = await cookies.begin({ kind: 'operator' });
    const { begun } = (await cookies.open(cookie)) ?? { begun: 0 };
    for (; world.now < begun + LONGEST_MS; world.now += IDLE_MS / 2) {
      expect(await cookies.open(cookie)).toBeDefined();
      cookie = cookies.renewed(cookie) ?? cookie;
    }
    expect(await cookies.open(cookie)).toBeUndefined();
  });

  test('ends with the key that was shown', async () => {
    const { world, cookies } = setup();
    const [operator, reader, instance] = await Promise.all(VIEWERS.map((each) => cookies.begin(each)));
    world.token = 'another';
    expect(await cookies.open(instance)).toBeUndefined();
    world.token = undefined;
    expect(await cookies.open(instance)).toBeUndefined();
    expect(await setup({ readKey: 'another' }).cookies.open(reader)).toBeUndefined();
    expect(await setup({ readKey: '' }).cookies.open(reader)).toBeUndefined();
    expect(await setup({ readKey: 'another' }).cookies.open(operator)).toBeDefined();
    expect(await setup({ apiKey: 'another' }).cookies.open(operator)).toBeUndefined();
  });

  test('ends with its log-out for each copy of its cookie, also for one that was given anew, and for no other session', async () => {
    const { world, cookies } = setup();
    const [cookie, other] = await Promise.all([1, 2].map(() => cookies.begin({ kind: 'operator' })));
    world.now += IDLE_MS / 2;
    let copy = cookies.renewed(cookie);
    const session = await cookies.open(cookie);
    if (session === undefined) throw new Error('no session');
    await cookies.end(session);
    expect([await cookies.open(cookie), await cookies.open(copy)]).toEqual([undefined, undefined]);
    expect(await cookies.open(other)).toBeDefined();
    for (; world.now < session.begun + LONGEST_MS; world.now += IDLE_MS / 2) {
      copy = cookies.renewed(copy) ?? copy;
      expect(await cookies.open(copy)).toBeUndefined();
    }
    expect(await cookies.open(copy)).toBeUndefined();
  });

  test('that was logged out does not come back where clocks of gateways differ', async () => {
    for (const aheadMs of [-240_000, 240_000]) {
      const { world, cookies, others } = setup({ aheadMs });
      let cookie = await cookies.begin({ kind: 'operator' });
      const begun = world.now;
      for (; world.now < begun + LONGEST_MS - IDLE_MS / 2; world.now += IDLE_MS / 2)
        cookie = cookies.renewed(cookie) ?? cookie;
      const session = await others.open(cookie);
      if (session === undefined) throw new Error('no session');
      await others.end(session);
      for (; world.now < begun + LONGEST_MS + IDLE_MS; world.now += 60_000)
        expect([await cookies.open(cookie), await others.open(cookie)]).toEqual([undefined, undefined]);
    }
  });

  test('is nobody’s who changes its cookie', async () => {
    const { cookies } = setup();
    const cookie = await cookies.begin({ kind: 'reader' });
    const [text = '', mac = ''] = cookie.split('.');
    const operator = Buffer.from(Buffer.from(text, 'base64url').toString().replace('reader', 'operator'));
    const forged = [
      `${operator.toString('base64url')}.${mac}`,
      `${text}.${'A'.repeat(mac.length)}`,
      text,
      `${text}.`,
      `.${mac}`,
      `${cookie}.x`,
      '',
      'x'.repeat(10_000),
    ];
    for (const each of forged) expect(await cookies.open(each)).toBeUndefined();
    expect(await cookies.open(undefined)).toBeUndefined();
  });

  test('takes the forms that were made for it, and no others', async () => {
    const { cookies } = setup();
    const [one, other] = await Promise.all(
      [1, 2].map(async () => cookies.open(await cookies.begin({ kind: 'operator' }))),
    );
    if (one === undefined || other === undefined) throw new Error('no session');
    expect(cookies.isFormOf(one, one.csrf)).toBe(true);
    for (const given of [other.csrf, '', null, undefined, `${one.csrf}x`])
      expect(cookies.isFormOf(one, given)).toBe(false);
  });

  test('has nothing secret in it, and another name for another key', async () => {
    const { cookies } = setup();
    const cookie = await cookies.begin({ kind: 'reader' });
    const text = Buffer.from(cookie.split('.')[0] ?? '', 'base64url').toString();
    expect(text).not.toMatch(/read-key|operator-key/);
    expect(setup({ apiKey: 'another' }).cookies.name).not.toBe(cookies.name);
  });
});
