import { z } from 'zod';
import { changesOf, formFieldsOf, printOf, textsOf, typedTexts } from '../../../src/dashboard/form-fields';
import { CORE_KEYS } from '../../../src/events/catalogue';
import { schemaOf } from '../../../src/http-api/openapi';
import { MODULES } from '../../../src/modules';

const schema = schemaOf(
  z.object({
    enabled: z.boolean().default(true),
    url: z.string().describe('where to'),
    base64: z.boolean().optional(),
    secret: z.string().optional(),
    port: z.int().min(1).optional(),
    ordered: z.enum(['instance', 'chat']).optional(),
    headers: z.record(z.string(), z.string()).default({}),
    events: z.array(z.string()).default([]),
    createdAt: z.string().optional(),
  }),
);
const fields = formFieldsOf({ name: 'webhook', further: 'webhooks', schema, secrets: ['secret'] });
const VALUE = {
  ...{ enabled: true, url: 'https://example.com/', secret: '********', port: 8443, ordered: 'chat' },
  ...{ headers: { authorization: '********' }, events: ['CALL'], createdAt: '2026-01-01T00:00:00Z' },
};

/** What a browser sends of a form that shows this, with what somebody changed. */
function formOf(value: unknown, changed: Readonly<Record<string, string | string[]>> = {}): URLSearchParams {
  const form = new URLSearchParams();
  const shown = Object.fromEntries(textsOf(fields, value));
  for (const { name, kind } of fields) {
    const given =
      changed[name] ?? (kind === 'events' ? (shown[name] ?? '').split('\n') : (shown[name] ?? ''));
    for (const each of [given].flat())
      if (each !== '' || kind === 'text') form.append(name, each.replaceAll('\n', '\r\n'));
  }
  return form;
}

const changes = (value: unknown, changed: Readonly<Record<string, string | string[]>> = {}): unknown => {
  const print = value === undefined ? '{}' : printOf(textsOf(fields, value));
  return changesOf(fields, typedTexts(fields, formOf(value, changed)), print);
};

describe('the form of a section', () => {
  it('has a field of a fitting kind for each of the section, but for its times', () => {
    expect(fields.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'enabled: switch',
      'url: text',
      'base64: choice',
      'secret: secret',
      'port: number',
      'ordered: choice',
      'headers: json',
      'events: events',
    ]);
    expect(fields.find(({ name }) => name === 'ordered')?.options).toEqual(['instance', 'chat']);
  });

  it('exists for every section of every module', () => {
    for (const { name, definition } of MODULES.sections.list) {
      const all = formFieldsOf({
        name,
        further: undefined,
        schema: schemaOf(definition.fields),
        secrets: [],
      });
      expect(all.map((field) => field.name)).toEqual(expect.arrayContaining(['enabled', 'events']));
      expect(new Map(textsOf(all, undefined)).get('events')).toBe(CORE_KEYS.join('\n'));
    }
  });

  it('sets nothing that nobody changed: neither what is secret, nor what others changed meanwhile', () => {
    expect(changes(VALUE)).toEqual({ kind: 'good', changes: {} });
    expect(changes(VALUE, { url: 'https://example.com/new' })).toEqual({
      kind: 'good',
      changes: { url: 'https://example.com/new' },
    });
    expect(changes({ ...VALUE, events: [] })).toEqual({ kind: 'good', changes: {} });
  });

  it('takes away what is emptied, and reads each kind as what it is', () => {
    expect(
      changes(VALUE, {
        enabled: '',
        port: '',
        ordered: 'instance',
        base64: 'false',
        headers: '{"x-key": "a"}',
        events: ['CALL', 'LABELS_EDIT'],
      }),
    ).toEqual({
      kind: 'good',
      changes: {
        enabled: false,
        port: null,
        ordered: 'instance',
        base64: false,
        headers: { 'x-key': 'a' },
        events: ['CALL', 'LABELS_EDIT'],
      },
    });
  });

  it('sets everything where nothing is set yet', () => {
    expect(changes(undefined, { url: 'https://example.com/' })).toMatchObject({
      kind: 'good',
      changes: { enabled: true, url: 'https://example.com/', events: [...CORE_KEYS], port: null },
    });
  });

  it('names what it cannot read, each with its field', () => {
    expect(changes(VALUE, { port: '80a', headers: '[1]', events: [], url: 'x'.repeat(30_000) })).toEqual({
      kind: 'bad',
      faults: [
        { field: 'url', kind: 'too-long' },
        { field: 'port', kind: 'no-number' },
        { field: 'headers', kind: 'no-json' },
        { field: 'events', kind: 'no-events' },
      ],
    });
  });

  it.each(['', '[]', 'nonsense', '{"url":1}'])('takes %j for a form of which nothing is known', (print) => {
    expect(changesOf(fields, typedTexts(fields, formOf(VALUE)), print)).toMatchObject({
      kind: 'good',
      changes: { url: VALUE.url },
    });
  });
});
