import { indented, shownBody } from '../../../src/dashboard/shown-body';

describe('a body that is shown', () => {
  test('is without the keys that it carries, at whatever depth, and otherwise as it came', () => {
    const body =
      '{"event":"call","data":{"apikey" : "in\\"ner","n":12345678901234567890},"apikey":"outer","instanceToken":"go"}';
    const { text, bytes, cutAt } = shownBody(Buffer.from(body));
    expect(text).toBe(
      '{"event":"call","data":{"apikey" : "********","n":12345678901234567890},"apikey":"********","instanceToken":"********"}',
    );
    expect([bytes, cutAt]).toEqual([body.length, undefined]);
  });

  test('keeps what people write about keys', () => {
    const body = '{"data":{"conversation":"my \\"apikey\\": \\"x\\""}}';
    expect(shownBody(Buffer.from(body)).text).toBe(body);
  });

  test('is cut where it is large, also in the middle of a key or of a character', () => {
    const large = shownBody(Buffer.from(`{"a":"${'x'.repeat(65_520)}","apikey":"secret-that-is-cut"}`));
    expect(large.cutAt).toBe(65_536);
    expect(large.text).not.toContain('secret');
    const character = shownBody(Buffer.from(`${'x'.repeat(65_535)}ção`));
    expect(character.text).toBe(`${'x'.repeat(65_535)}…`);
  });
});

describe('JSON for a person', () => {
  test('has one value a line, and every character of its texts and numbers', () => {
    expect(indented('{"a":[1,{"b":"x,{}:\\" y"},[],{}],"n":1.50e3}')).toBe(
      '{\n  "a": [\n    1,\n    {\n      "b": "x,{}:\\" y"\n    },\n    [],\n    {}\n  ],\n  "n": 1.50e3\n}',
    );
  });

  test('may be cut or no JSON at all', () => {
    for (const text of ['', '{"a":"unfinish', '}}}]]', 'nonsense', '[['.repeat(10_000)])
      expect(indented(text).replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });
});
