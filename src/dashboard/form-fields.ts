import { createHash } from 'node:crypto';
import { z } from 'zod';
import { CORE_KEYS } from '../events/catalogue';

/** A section of the settings of instances, as the API describes it. */
export interface DescribedSection {
  readonly name: string;
  /** Where further ones of its kind lie in a document, by name; undefined: an instance has one. */
  readonly further: string | undefined;
  /** JSON Schema of a value. */
  readonly schema: unknown;
  /** Fields that are shown by nobody. */
  readonly secrets: readonly string[];
}

/** One field of a form. What somebody typed into it is one text; of `events` the chosen names, one a line. */
export interface FormField {
  readonly name: string;
  readonly kind: 'switch' | 'choice' | 'text' | 'secret' | 'number' | 'events' | 'json';
  /** What may be chosen, beside nothing. */
  readonly options: readonly string[];
  /** Of one that nothing was set for yet. */
  readonly initial: string;
  /** In the words of the API's description, which is in English. */
  readonly hint: string;
}

export type FieldTexts = ReadonlyMap<string, string>;

/** What is wrong, where the form itself knows. */
export interface FieldFault {
  readonly field: string;
  readonly kind: 'no-events' | 'no-json' | 'no-number' | 'too-long';
}

export type SectionChanges =
  | { readonly kind: 'good'; readonly changes: Readonly<Record<string, unknown>> }
  | { readonly kind: 'bad'; readonly faults: readonly FieldFault[] };

const ON = 'yes';
/** Forms have a limit, and percent-encoding trebles what is in them; the API takes longer ones. */
const MAX_TEXT = 20_000;
/** Of the section, and not what anybody sets. */
const TIMES: ReadonlySet<string> = new Set(['createdAt', 'updatedAt']);
const EVENTS = 'events';

const propertySchema = z.object({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
});
const objectSchema = z.object({ properties: z.record(z.string(), propertySchema) });

/** The fields of a section by its own schema, in its order. */
export function formFieldsOf({ schema, secrets }: DescribedSection): FormField[] {
  const { properties } = objectSchema.parse(schema);
  return Object.entries(properties)
    .filter(([name]) => !TIMES.has(name))
    .map(([name, property]): FormField => {
      const kind = secrets.includes(name) ? 'secret' : kindOf(name, property);
      const options = property.type === 'boolean' ? ['true', 'false'] : (property.enum ?? []);
      const initial = kind === EVENTS ? CORE_KEYS.join('\n') : textOf(kind, property.default);
      return { name, kind, options, initial, hint: property.description ?? '' };
    });
}

function kindOf(
  name: string,
  { type, enum: options, default: initial }: z.output<typeof propertySchema>,
): FormField['kind'] {
  if (name === EVENTS) return EVENTS;
  // Not set is neither yes nor no.
  if (type === 'boolean') return initial === undefined ? 'choice' : 'switch';
  if (options !== undefined) return 'choice';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'object' || type === 'array' ? 'json' : 'text';
}

/** What a form shows of a value; of one that is not set, how it would begin. */
export function textsOf(fields: readonly FormField[], value: unknown): FieldTexts {
  const parsed = z.record(z.string(), z.unknown()).safeParse(value);
  return new Map(
    fields.map(({ name, kind, initial }) => [
      name,
      parsed.success ? textOf(kind, parsed.data[name]) : initial,
    ]),
  );
}

function textOf(kind: FormField['kind'], value: unknown): string {
  if (kind === 'switch') return value === true ? ON : '';
  if (value === undefined || value === null) return '';
  if (kind === 'json') return JSON.stringify(value, undefined, 2);
  // An empty list means every event: each is checked then.
  if (Array.isArray(value)) return (value.length === 0 ? CORE_KEYS : value).join('\n');
  return String(value);
}

/** What somebody typed. */
export function typedTexts(fields: readonly FormField[], form: URLSearchParams): FieldTexts {
  return new Map(
    fields.map(({ name, kind }) => {
      const all = kind === EVENTS ? [...new Set(form.getAll(name))] : [form.get(name) ?? ''];
      return [
        name,
        all
          .join('\n')
          .replaceAll('\r\n', '\n')
          .trim()
          .slice(0, MAX_TEXT + 1),
      ];
    }),
  );
}

/** Fingerprints of what a form showed: it comes back with the form, so that only what somebody changed is set. */
export function printOf(texts: FieldTexts): string {
  return JSON.stringify(Object.fromEntries([...texts].map(([name, text]) => [name, printOfText(text)])));
}

function printOfText(text: string): string {
  return createHash('sha256').update(text.trim()).digest('base64url').slice(0, 12);
}

/**
 * What somebody changed: fields as the API takes them; null takes one away. Those that were left alone are not sent, so what others
 * changed meanwhile stays, and so does what is secret and was not shown.
 *
 * @param print of what the form showed
 */
export function changesOf(fields: readonly FormField[], typed: FieldTexts, print: string): SectionChanges {
  const before = printsIn(print);
  const faults: FieldFault[] = [];
  const changes: Record<string, unknown> = {};
  const isOn = typed.get('enabled') === ON;
  for (const { name, kind } of fields) {
    const text = typed.get(name) ?? '';
    const isEmpty = kind === EVENTS && isOn && text === '';
    if (!isEmpty && before.get(name) === printOfText(text)) continue;
    const read: ReadText = isEmpty ? { fault: 'no-events' } : readText(kind, text);
    if (read.fault === undefined) changes[name] = read.value;
    else faults.push({ field: name, kind: read.fault });
  }
  return faults.length > 0 ? { kind: 'bad', faults } : { kind: 'good', changes };
}

interface ReadText {
  readonly value?: unknown;
  readonly fault?: FieldFault['kind'];
}

function readText(kind: FormField['kind'], text: string): ReadText {
  if (text.length > MAX_TEXT) return { fault: 'too-long' };
  if (kind === 'switch') return { value: text === ON };
  if (kind === EVENTS) return { value: text === '' ? [] : text.split('\n') };
  if (text === '') return { value: null };
  if (kind === 'number') return /^\d{1,15}$/.test(text) ? { value: Number(text) } : { fault: 'no-number' };
  if (kind === 'choice') return { value: text === 'true' || text === 'false' ? text === 'true' : text };
  return kind === 'json' ? objectIn(text) : { value: text };
}

function objectIn(text: string): ReadText {
  const value = parsedJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { value }
    : { fault: 'no-json' };
}

function printsIn(print: string): ReadonlyMap<string, string> {
  const parsed = z.record(z.string(), z.string()).safeParse(parsedJson(print));
  return new Map(parsed.success ? Object.entries(parsed.data) : []);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
