import fc from 'fast-check';
import { pusherSection } from '../../../src/destinations/pusher/pusher-section';
import { webhookSection } from '../../../src/destinations/webhook/webhook-section';
import { MODULES } from '../../../src/modules';
import { MASK, pathsOfMasks } from '../../../src/settings/mask';
import { amend, unmask } from '../../../src/settings/merge-patch';
import { pathOf, type Settings, type Slot } from '../../../src/settings/section';
import { documentWith, readSlot, withoutSlot } from '../../../src/settings/slot';
import { stamped } from '../../../src/settings/timestamps';
import { sqsSection } from '../../../src/sources/sqs/sqs-section';

const url = 'https://example.com/hook';
const webhook = { enabled: true, url, byEvents: false, base64: false, headers: {}, events: ['CALL'] };

describe('amend', () => {
  test.each<[string, object | undefined, unknown, unknown]>([
    ['fields that are not named stay', webhook, { base64: true }, { ...webhook, base64: true }],
    [
      'null removes a field',
      { ...webhook, secret: 'x' },
      { secret: null },
      { ...webhook, secret: undefined },
    ],
    [
      'older names replace present fields',
      webhook,
      { webhookByEvents: true },
      { ...webhook, byEvents: true },
    ],
    [
      'the present name wins',
      webhook,
      { byEvents: true, webhookByEvents: false },
      { ...webhook, byEvents: true },
    ],
    ['disabling keeps the events', webhook, { enabled: false, events: [] }, { ...webhook, enabled: false }],
    [
      'disabling with a list takes the list',
      webhook,
      { enabled: false, events: ['X'] },
      { ...webhook, enabled: false, events: ['X'] },
    ],
    [
      'enabling with none means every event',
      webhook,
      { enabled: true, events: [] },
      { ...webhook, events: [] },
    ],
    ['there was nothing', undefined, { url }, { url }],
  ])('%s', (_rule, before, given, expected) => {
    // The schema leaves out older names.
    const { webhookByEvents: _older, ...amended } = amend(webhookSection, before, given) as Record<
      string,
      unknown
    >;
    expect(amended).toEqual(expected);
  });

  test.each([null, 'text', 5, true, []])('%j is left for the schema to refuse', (given) => {
    expect(amend(webhookSection, webhook, given)).toBe(given);
  });

  test('headers are replaced as a whole, masked ones stay as they are', () => {
    const before = { ...webhook, headers: { a: 'secret-a', b: 'secret-b' } };
    expect(amend(webhookSection, before, { headers: { a: MASK, c: 'new' } })).toMatchObject({
      headers: { a: 'secret-a', c: 'new' },
    });
    expect(amend(webhookSection, before, { headers: { a: MASK, c: 'new' } })).not.toHaveProperty('headers.b');
  });

  test('what is given twice is the same as once', () => {
    const fields = fc.record(
      {
        enabled: fc.boolean(),
        events: fc.array(fc.constantFrom('CALL', 'NEW'), { maxLength: 2 }),
        base64: fc.boolean(),
        headers: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', MASK)),
        secret: fc.constantFrom('s', null),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fields, (given) => {
        const before = { ...webhook, headers: { a: '1', b: '2' }, secret: 'old' };
        const once = amend(webhookSection, before, given) as object;
        expect(amend(webhookSection, once, given)).toEqual(once);
      }),
    );
  });
});

describe('masks', () => {
  test('a mask is never what is stored, whatever it stands beside', () => {
    const stored = { token: 't', webhook: { ...webhook, headers: { a: 'x' } }, pusher: { secret: 's' } };
    const given = {
      token: MASK,
      webhook: { headers: { a: MASK, b: MASK } },
      pusher: { secret: MASK },
      sqs: MASK,
    };
    const result = unmask(MODULES.sections, given, stored);
    expect(result).toMatchObject({ token: 't', webhook: { headers: { a: 'x' } }, pusher: { secret: 's' } });
    expect(pathsOfMasks(MODULES.sections, result)).toEqual(['webhook.headers.b', 'sqs']);
  });

  test('names that every object has are nothing that is stored', () => {
    for (const name of ['constructor', 'toString', '__proto__']) {
      expect(
        pathsOfMasks(
          MODULES.sections,
          unmask(MODULES.sections, JSON.parse(`{"headers":{"${name}":"${MASK}"}}`), { headers: {} }),
        ),
      ).toEqual([`headers.${name}`]);
    }
  });
});

describe('secrets stay with the address they were given for (finding 5.4)', () => {
  const stored = {
    ...webhook,
    url: 'https://example.com/hook?token=abc',
    headers: { authorization: 'Bearer s3cret' },
    secret: 's3cret-signing',
  };
  const elsewhere = 'https://attacker.example/hook';

  test.each<[string, object, string[]]>([
    ['left out', { url: elsewhere }, ['headers.authorization', 'secret']],
    [
      'masked',
      { url: elsewhere, headers: { authorization: MASK }, secret: MASK },
      ['secret', 'headers.authorization'],
    ],
    ['under its older name', { webhookUrl: elsewhere }, ['headers.authorization', 'secret']],
    ['by another scheme', { url: 'http://example.com/hook' }, ['headers.authorization', 'secret']],
    ['by another port', { url: 'https://example.com:444/hook' }, ['headers.authorization', 'secret']],
    ['headers given, the secret not', { url: elsewhere, headers: { a: 'new' } }, ['secret']],
    ['all given', { url: elsewhere, headers: { a: 'new' }, secret: 'new' }, []],
    ['taken away', { url: elsewhere, headers: {}, secret: null }, []],
    ['another path of the same origin', { url: 'https://example.com/other' }, []],
    ['the address as it is shown', { url: `https://example.com/hook?token=${MASK}` }, []],
  ])('%s', (_how, given, masks) => {
    const amended = amend(webhookSection, stored, given);
    expect(pathsOfMasks(MODULES.sections, amended).sort()).toEqual([...masks].sort());
    if (masks.length > 0) expect(JSON.stringify(amended)).not.toContain('s3cret');
  });

  test.each<[string, object, string[]]>([
    [
      'a section',
      { webhook: { webhookUrl: elsewhere, headers: { authorization: MASK } } },
      ['webhook.headers.authorization'],
    ],
    ['a named webhook', { webhooks: { n: { url: elsewhere, secret: MASK } } }, ['webhooks.n.secret']],
    [
      'an address with a mask',
      { webhook: { url: `https://attacker.example/hook?token=${MASK}` } },
      ['webhook.url'],
    ],
    ['the same place', { webhook: { url: stored.url, headers: { authorization: MASK }, secret: MASK } }, []],
  ])('in a document: %s', (_what, given, masks) => {
    expect(
      pathsOfMasks(
        MODULES.sections,
        unmask(MODULES.sections, given, { webhook: stored, webhooks: { n: stored } }),
      ),
    ).toEqual(masks);
  });

  test('a Pusher app that moves needs its secret again', () => {
    const pusher = {
      enabled: true,
      appId: '1',
      key: 'k',
      secret: 's3cret',
      cluster: 'eu',
      useTLS: true,
      events: [],
    };
    expect(
      pathsOfMasks(MODULES.sections, amend(pusherSection, pusher, { host: 'attacker.example' })),
    ).toEqual(['secret']);
    expect(pathsOfMasks(MODULES.sections, amend(pusherSection, pusher, { events: ['CALL'] }))).toEqual([]);
    expect(amend(pusherSection, pusher, { secret: MASK, key: 'other' })).toMatchObject({
      secret: 's3cret',
      key: 'other',
    });
  });
});

describe('slots', () => {
  const settings: Settings = { webhook, webhooks: { n8n: webhook }, sqs: { enabled: true, events: [] } };
  const slots: Slot[] = [
    { section: webhookSection },
    { section: sqsSection },
    { section: pusherSection },
    { section: webhookSection, name: 'n8n' },
    { section: webhookSection, name: 'constructor' },
  ];

  test.each(slots.map((slot) => [pathOf(slot), slot] as const))(
    '%s: what was put in is read, what was taken out is gone, and others stay',
    (_path, slot) => {
      const filled = documentWith(settings, slot, webhook) as Settings;
      expect(readSlot(filled, slot)).toBe(webhook);
      const emptied = withoutSlot(filled, slot);
      expect(readSlot(emptied, slot)).toBeUndefined();
      for (const other of slots.filter((each) => each !== slot)) {
        expect(readSlot(filled, other)).toBe(readSlot(settings, other));
        expect(readSlot(emptied, other)).toBe(readSlot(settings, other));
      }
    },
  );

  test('nothing is set where there are no settings', () => {
    for (const slot of slots) expect(readSlot(undefined, slot)).toBeUndefined();
    expect(documentWith(undefined, { section: webhookSection, name: 'n8n' }, webhook)).toEqual({
      webhooks: { n8n: webhook },
    });
  });
});

describe('stamps', () => {
  const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
  const settings = (more: Partial<Settings> = {}): Settings => ({ webhooks: {}, ...more });

  test('what is new is created and updated now, sections each by themselves', () => {
    const first = stamped(MODULES.sections, undefined, settings({ webhook }), at(1));
    const second = stamped(MODULES.sections, first, { ...first, sqs: { enabled: true, events: [] } }, at(2));
    expect(second['webhook']).toMatchObject({
      createdAt: at(1).toISOString(),
      updatedAt: at(1).toISOString(),
    });
    expect(second['sqs']).toMatchObject({ createdAt: at(2).toISOString(), updatedAt: at(2).toISOString() });
  });

  test('a change is told, no change is not, and neither is made anew', () => {
    const first = stamped(MODULES.sections, undefined, settings({ webhooks: { n8n: webhook } }), at(1));
    const same = stamped(MODULES.sections, first, settings({ webhooks: { n8n: webhook } }), at(2));
    expect(same).toEqual(first);
    const changed = stamped(
      MODULES.sections,
      same,
      settings({ webhooks: { n8n: { ...webhook, base64: true } } }),
      at(3),
    );
    expect(webhookSection.further(changed)['n8n']).toMatchObject({
      createdAt: at(1).toISOString(),
      updatedAt: at(3).toISOString(),
    });
  });

  test('what was removed and is set again begins anew', () => {
    const first = stamped(MODULES.sections, undefined, settings({ webhook }), at(1));
    const removed = stamped(MODULES.sections, first, settings(), at(2));
    expect(removed).not.toHaveProperty('webhook');
    expect(stamped(MODULES.sections, removed, settings({ webhook }), at(3))['webhook']).toMatchObject({
      createdAt: at(3).toISOString(),
    });
  });

  test('what was exported keeps its times', () => {
    const times = { createdAt: at(1).toISOString(), updatedAt: at(2).toISOString() };
    expect(
      stamped(MODULES.sections, undefined, settings({ webhook: { ...webhook, ...times } }), at(9))['webhook'],
    ).toMatchObject(times);
  });
});
