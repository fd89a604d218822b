import fc from 'fast-check';
import { ContentFilter, filterProblems } from '../../../src/filters/content-filter';
import { EventView } from '../../../src/filters/event-view';
import { envelopeOf } from '../../support/values/events';
import { naivePasses } from '../../support/values/naive-filter';

const viewOf = (event: object): EventView =>
  new EventView(envelopeOf(JSON.stringify({ event: 'messages.upsert', instance: 'loja', ...event })));

/** Whether an event with this `data` passes. */
function passes(filter: object, data: unknown): boolean {
  const content = ContentFilter.of({ filter });
  return content?.passes(viewOf({ data })) ?? true;
}

const names = fc.constantFrom('a', 'b', 'key', '0', '1');
const scalar = fc.oneof(
  fc.constantFrom<string | number | boolean | null>('', 'x', 'xy', 'yx', 0, 1, -1.5, true, false, null),
  fc.string({ maxLength: 3 }),
);
const { tree: json } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(names, tie('tree'), { maxKeys: 3 }),
  ),
}));
const path = fc
  .tuple(fc.constantFrom('data', 'data', 'data', 'extra', 'event'), fc.array(names, { maxLength: 3 }))
  .map(([root, inner]) => [root, ...inner].join('.'));
const list = fc.array(scalar, { minLength: 1, maxLength: 3 });
const text = fc.constantFrom('x', 'y', 'xy');
const operators = fc.oneof(
  scalar.map((value) => ({ $eq: value })),
  scalar.map((value) => ({ $ne: value })),
  list.map((value) => ({ $in: value })),
  list.map((value) => ({ $nin: value })),
  fc.boolean().map((value) => ({ $exists: value })),
  text.map((value) => ({ $startsWith: value })),
  text.map((value) => ({ $endsWith: value })),
  fc.constantFrom('x', 0, 1).map((value) => ({ $gt: value })),
  fc.constantFrom('x', 0, 1).map((value) => ({ $lt: value })),
);
const condition = fc.oneof(
  scalar,
  operators,
  fc.tuple(operators, operators).map(([first, second]) => ({ ...first, ...second })),
  operators.map((value) => ({ $not: value })),
);
const { filter: anyFilter } = fc.letrec<{ filter: object }>((tie) => {
  const all = fc.array(tie('filter'), { minLength: 1, maxLength: 3 });
  return {
    filter: fc.oneof(
      { maxDepth: 3 },
      fc.dictionary(path, condition, { minKeys: 1, maxKeys: 2 }),
      all.map((each) => ({ $and: each })),
      all.map((each) => ({ $or: each })),
      tie('filter').map((each) => ({ $not: each })),
    ),
  };
});

describe('a filter', () => {
  test('means what the reference says, for every event', () => {
    fc.assert(
      fc.property(anyFilter, json, json, (filter, data, extra) => {
        const event = JSON.parse(JSON.stringify({ data, extra }));
        const isList = Array.isArray(event.data) && event.data.length > 0;
        const items: unknown[] = isList ? event.data : [event.data];
        const expected = items.some((item) =>
          naivePasses(filter, { event: 'messages.upsert', ...event, data: item }, event.data),
        );
        expect(ContentFilter.of({ filter })?.passes(viewOf(event))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('that does not let an event pass says why, whatever it is', () => {
    fc.assert(
      fc.property(anyFilter, json, (filter, data) => {
        const content = ContentFilter.of({ filter });
        const view = viewOf({ data });
        if (content === undefined || content.passes(view)) return;
        const [refusal] = content.refusals(view);
        expect(refusal?.condition).toMatch(/^filter\./);
        expect(() => JSON.stringify(refusal)).not.toThrow();
      }),
    );
  });

  test.each<[filter: object, data: unknown, expected: boolean]>([
    [{ 'data.key.fromMe': false }, { key: { fromMe: false } }, true],
    [{ 'data.key.fromMe': false }, { key: { fromMe: true } }, false],
    [{ 'data.key.fromMe': false }, {}, false],
    [{ 'data.key.fromMe': { $ne: true } }, {}, true],
    [{ 'data.status': null }, {}, false],
    [{ 'data.status': null }, { status: null }, true],
    [{ 'data.status': { $exists: false } }, {}, true],
    [{ 'data.status': { $exists: true } }, { status: [] }, true],
    [{ 'data.tags': 'vip' }, { tags: ['new', 'vip'] }, true],
    [{ 'data.tags': { $ne: 'vip' } }, { tags: ['new', 'vip'] }, false],
    [{ 'data.people.jid': 'b' }, { people: [{ jid: 'a' }, { jid: 'b' }] }, true],
    [{ 'data.people.1.jid': 'b' }, { people: [{ jid: 'a' }, { jid: 'b' }] }, true],
    [{ 'data.people.2.jid': 'b' }, { people: [{ jid: 'a' }, { jid: 'b' }] }, false],
    [{ 'data.bytes.0': 255 }, { bytes: { '0': 255 } }, true],
    [{ 'data.a\\.b': 1 }, { 'a.b': 1 }, true],
    [{ 'data.a\\\\b': 1 }, { 'a\\b': 1 }, true],
    [{ 'data.n': { $gt: 1, $lt: 3 } }, { n: 2 }, true],
    [{ 'data.n': { $gt: 1 } }, { n: '2' }, false],
    [{ 'data.date': { $gt: '2025-01-01' } }, { date: '2025-11-03T17:22:06.000Z' }, true],
    [{ 'data.key.constructor': { $exists: true } }, { key: {} }, false],
    [{ 'data.__proto__': { $exists: true } }, { key: {} }, false],
    [{ event: 'messages.upsert', instance: 'loja' }, {}, true],
    [{}, {}, true],
  ])('%j of %j: %s', (filter, data, expected) => {
    expect(passes(filter, data)).toBe(expected);
  });

  test('of a list looks at each item by itself: the event passes where one does', () => {
    const filter = { 'data.key.fromMe': { $ne: true }, 'data.type': 'text' };
    const own = { key: { fromMe: true }, type: 'text' };
    const other = { key: { fromMe: false }, type: 'image' };
    expect(passes(filter, [own, other])).toBe(false);
    expect(passes(filter, [own, other, { ...other, type: 'text' }])).toBe(true);
  });

  test('of a list may name one item by its index', () => {
    expect(passes({ 'data.1.jid': 'b' }, [{ jid: 'a' }, { jid: 'b' }])).toBe(true);
    expect(passes({ 'data.1.jid': 'a' }, [{ jid: 'a' }, { jid: 'b' }])).toBe(false);
  });

  test('names what failed, what was wanted and what was found; secrets are not shown', () => {
    const refusalsOf = (filter: object, event: object): unknown =>
      ContentFilter.of({ filter })?.refusals(viewOf(event));
    expect(refusalsOf({ 'data.key.fromMe': { $eq: false } }, { data: { key: { fromMe: true } } })).toEqual([
      { condition: 'filter.data.key.fromMe.$eq', wanted: false, found: true },
    ]);
    expect(refusalsOf({ 'data.x': 'y' }, { data: [{ x: 'a' }, {}] })).toEqual([
      { item: 0, condition: 'filter.data.x', wanted: 'y', found: 'a' },
      { item: 1, condition: 'filter.data.x', wanted: 'y' },
    ]);
    const [secret] = refusalsOf({ apikey: { $startsWith: 'A' } }, { data: {}, apikey: 's3cret' }) as object[];
    expect(JSON.stringify(secret)).not.toContain('s3cret');
  });

  test('that would cost more than an event may lets it pass, and ends soon', () => {
    const data = Array.from({ length: 200 }, () => ({ members: Array(2000).fill({ jid: 'a' }) }));
    expect(passes({ 'data.members.jid': 'b' }, data)).toBe(true);
    expect(passes({ 'data.members.jid': { $ne: 'a' } }, data.slice(0, 2))).toBe(false);
  });

  test('of an event that is nested deep, or is odd, does not fail', () => {
    const deep = '['.repeat(90_000) + ']'.repeat(90_000);
    const view = new EventView(envelopeOf(`{"event":"x","instance":"i","data":${deep}}`));
    expect(ContentFilter.of({ filter: { 'data.a.b': 1 }, fromMe: false })?.passes(view)).toBe(false);
    for (const odd of ['null', '5', '"text"', '[]', '[null]', '{}']) {
      const event = `{"event":"messages.upsert","instance":"i","data":${odd}}`;
      const form = { fromMe: false, groups: false, chats: { only: ['1'] }, olderThanSeconds: 1 };
      expect(ContentFilter.of(form)?.passes(new EventView(envelopeOf(event)))).toBe(true);
    }
  });
});

describe('a wrong filter is refused with the place and what is wrong', () => {
  let nested: object = { 'data.a': 1 };
  for (let level = 0; level < 1000; level++) nested = { $and: [nested] };
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`data.a${index}`, 1]));

  test.each<[path: string, problem: string, filter: unknown]>([
    ['data.x.$regex', 'no regular expressions', { 'data.x': { $regex: '.*' } }],
    ['data.x.$where', 'is no operator here: there are $eq, $ne', { 'data.x': { $where: 'f()' } }],
    ['chats.only', 'chats as a field of its own stands beside filter', { chats: { only: ['1'] } }],
    ['$where', 'there are $and, $or, $not', { $where: 'f()' }],
    ['data.x.$gt', 'must be a number, or a text', { 'data.x': { $gt: true } }],
    ['data.x.$in', 'must be a list of 1 to 1000', { 'data.x': { $in: [] } }],
    ['data.x.$in', '1 to 1000', { 'data.x': { $in: Array(1001).fill('a') } }],
    ['data.x.$in', 'must be a list', { 'data.x': { $in: [{}] } }],
    ['data.x.$eq', 'must be a text', { 'data.x': { $eq: {} } }],
    ['data.x', 'must be a text', { 'data.x': [1] }],
    ['data.x.$exists', 'must be true or false', { 'data.x': { $exists: 1 } }],
    ['data.x.$startsWith', 'must be a text of 1 to', { 'data.x': { $startsWith: '' } }],
    ['data.x', 'must name an operator', { 'data.x': {} }],
    ['data.x.$not', 'must be an object of operators', { 'data.x': { $not: 5 } }],
    ['data..x', 'without empty names', { 'data..x': 1 }],
    ['data.\\x', 'backslash', { 'data.\\x': 1 }],
    ['$or', 'at least one condition', { $or: [] }],
    ['$or.1', 'must be an object', { $or: [{ 'data.x': 1 }, 5] }],
    ['', 'must be an object', 5],
    ['', 'must be an object', []],
    [Array(6).fill('$and.0').join('.'), 'no deeper than 5 levels', nested],
    ['data.a100', 'no more than 100 conditions', many],
    [`data.${'x'.repeat(500)}`, 'no more than 500 characters', { [`data.${'x'.repeat(500)}`]: 1 }],
    ['data.x', 'up to 1000 characters', { 'data.x': 'x'.repeat(1001) }],
  ])('at %s: %s', (path, problem, filter) => {
    expect(filterProblems(filter)).toEqual([
      { path: expect.any(Array), problem: expect.stringContaining(problem) },
    ]);
    expect(filterProblems(filter)[0]?.path.join('.')).toBe(path);
    expect(() => ContentFilter.of({ filter })).toThrow(expect.objectContaining({ code: 'FILTER_INVALID' }));
  });

  test('all that is wrong is named at once, and no more than twenty', () => {
    expect(filterProblems({ 'data.x': { $a: 1 }, 'data.y': { $b: 1 } })).toHaveLength(2);
    const wrong = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`$op${index}`, 1]));
    expect(filterProblems(wrong)).toHaveLength(20);
  });
});

describe('an event made of more values than are decoded', () => {
  // Decoded, 16 MB of these took 800 MB of memory and three seconds, and ended processes with a small heap.
  const list = (count: number): string => `[${'{},'.repeat(count - 1)}{}]`;
  const view = (members: string): EventView =>
    new EventView(envelopeOf(`{"event":"messages.set","instance":"loja",${members}}`));
  const filter = ContentFilter.of({ filter: { 'data.x': 1 } });

  test.each([
    ['in data', `"data":${list(100_001)}`],
    ['in another member of the root', `"data":{"y":1},"extra":${list(100_001)}`],
    ['within lists within lists', `"data":[${'['.repeat(60_000)}${']'.repeat(60_000)},${list(60_000)}]`],
  ])('passes without being decoded: %s', (_where, members) => {
    const large = view(members);
    const decode = jest.spyOn(JSON, 'parse');
    expect(filter?.passes(large)).toBe(true);
    expect(decode).not.toHaveBeenCalled();
    decode.mockRestore();
  });

  test('is not one that is large because of its texts, whatever these hold', () => {
    const text = JSON.stringify('[{},"\\\\"'.repeat(50_000));
    expect(filter?.passes(view(`"data":{"x":2,"base64":${text}}`))).toBe(false);
    expect(filter?.passes(view(`"data":${list(1000)}`))).toBe(false);
  });
});

test('what a comparison of long texts costs does not grow with their length', () => {
  const view = viewOf({ data: Array.from({ length: 4000 }, () => ({ x: 'y'.repeat(5000) })) });
  const filterOf = (length: number): ContentFilter | undefined =>
    ContentFilter.of({ filter: { 'data.x': { $startsWith: `${'y'.repeat(length - 1)}z` } } });
  const [short, long] = [filterOf(2), filterOf(1000)];
  const least = (filter: ContentFilter | undefined): number =>
    Math.min(
      ...Array.from({ length: 7 }, () => {
        const before = process.cpuUsage();
        filter?.passes(view);
        const { user, system } = process.cpuUsage(before);
        return user + system;
      }),
    );
  least(short);
  const [ofShort, ofLong] = [least(short), least(long)];
  // One character after the other took fifteen times as long.
  expect(ofLong).toBeLessThan(6 * ofShort + 2000);
});
