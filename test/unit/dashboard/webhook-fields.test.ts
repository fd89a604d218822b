import { fieldOf, fieldsOfRow, readForm } from '../../../src/dashboard/webhook-fields';
import { CORE_KEYS } from '../../../src/events/catalogue';

const form = (
  fields: Readonly<Record<string, string>>,
  events: readonly string[] = ['CALL'],
): URLSearchParams => {
  const all = new URLSearchParams(fields);
  for (const event of events) all.append('events', event);
  return all;
};

describe('the form of a webhook', () => {
  test('shows every event as chosen where the list is empty, and conditions as they are set', () => {
    const fields = fieldsOfRow({
      enabled: true,
      url: 'u',
      events: [],
      fromMe: false,
      groups: true,
      filter: { a: 1 },
    });
    expect(fields).toMatchObject({
      events: CORE_KEYS,
      short: { fromMe: 'not', groups: 'only', status: '', newsletters: '' },
      filter: '{\n  "a": 1\n}',
    });
    expect(fieldsOfRow(null)).toMatchObject({ enabled: true, url: '' });
    expect(fieldsOfRow({ enabled: false, url: '', events: ['CALL'] })).toMatchObject({
      filter: '',
      events: ['CALL'],
    });
    expect(fieldsOfRow({ odd: true })).toBeUndefined();
  });

  test('means what it shows: a box that is not checked is false, a condition that is not chosen is taken away', () => {
    const read = readForm(form({ url: ' https://a.example ', groups: 'not', fromMe: 'odd' }));
    expect(read).toMatchObject({
      kind: 'good',
      section: {
        ...{ enabled: false, url: 'https://a.example', byEvents: false, events: ['CALL'] },
        ...{ groups: false, fromMe: null, status: null, newsletters: null, filter: null },
      },
    });
  });

  test('refuses what would mean something else: no event is every event to the API', () => {
    expect(readForm(form({ enabled: 'yes' }, []))).toMatchObject({
      problems: [{ field: 'events', kind: 'no-events' }],
    });
    expect(readForm(form({}, []))).toMatchObject({ kind: 'good' });
  });

  test('names the field of JSON that is none, and bounds what it shows again', () => {
    for (const filter of ['{', '[]', '1', 'null', '"x"'])
      expect(readForm(form({ filter }))).toMatchObject({ problems: [{ field: 'filter', kind: 'no-json' }] });
    const read = readForm(form({ filter: `{"a":"${'x'.repeat(1e6)}"}`, url: 'u'.repeat(10_000) }));
    expect(read).toMatchObject({
      problems: [
        { field: 'filter', kind: 'too-long' },
        { field: 'url', kind: 'too-long' },
      ],
    });
    expect(JSON.stringify(read).length).toBeLessThan(110_000);
  });

  test('knows which field a problem of the API is about', () => {
    expect(fieldOf('webhook.url: must be http')).toBe('url');
    expect(fieldOf('webhook.filter.data.x: no such operator')).toBe('filter');
    expect(fieldOf('fromMe: must be true or false')).toBe('fromMe');
    expect(fieldOf('webhook.headers.x: is not sent')).toBeUndefined();
    expect(fieldOf('')).toBeUndefined();
  });
});
