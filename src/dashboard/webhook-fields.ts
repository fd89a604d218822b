import { z } from 'zod';
import { CORE_KEYS } from '../events/catalogue';

/** Conditions of the short form that are yes, no, or not set. */
export const SHORT_FIELDS = ['fromMe', 'groups', 'status', 'newsletters'] as const;
const FORM_FIELDS = ['enabled', 'url', 'byEvents', 'events', ...SHORT_FIELDS, 'filter'] as const;
export type FormField = (typeof FORM_FIELDS)[number];

/** `only`: true; `not`: false. */
export const CHOICES = ['', 'only', 'not'] as const;
export type Choice = (typeof CHOICES)[number];

/** What the form shows: what is set, or what somebody typed. */
export interface WebhookFields {
  readonly enabled: boolean;
  readonly url: string;
  readonly byEvents: boolean;
  readonly events: readonly string[];
  readonly short: Readonly<Record<(typeof SHORT_FIELDS)[number], Choice>>;
  /** JSON; empty: none. */
  readonly filter: string;
}

/** What is wrong, where the form itself knows. */
export interface FormProblem {
  readonly field: FormField;
  readonly kind: 'no-events' | 'no-json' | 'too-long';
}

export type ReadForm =
  | {
      readonly kind: 'good';
      readonly fields: WebhookFields;
      readonly section: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'bad'; readonly fields: WebhookFields; readonly problems: readonly FormProblem[] };

/** Forms have a limit, and percent-encoding trebles what is in them; the API takes longer ones. */
const MAX_FILTER = 20_000;
const MAX_URL = 2048;
const MAX_EVENTS = 200;

/** As the API answers to `/webhook/find/:instance`. */
const rowSchema = z.object({
  enabled: z.boolean(),
  url: z.string(),
  webhookByEvents: z.boolean().default(false),
  events: z.array(z.string()),
  filter: z.unknown().optional(),
  fromMe: z.boolean().optional(),
  groups: z.boolean().optional(),
  status: z.boolean().optional(),
  newsletters: z.boolean().optional(),
});

/** Of a webhook that is not set yet. */
const NEW: WebhookFields = {
  enabled: true,
  url: '',
  byEvents: false,
  events: CORE_KEYS,
  short: { fromMe: '', groups: '', status: '', newsletters: '' },
  filter: '',
};

/** An empty list means every event: each is checked then. */
export function fieldsOfRow(row: unknown): WebhookFields | undefined {
  if (row === null) return NEW;
  const found = rowSchema.safeParse(row).data;
  if (found === undefined) return undefined;
  const { enabled, url, webhookByEvents: byEvents, events, filter } = found;
  return {
    ...{ enabled, url, byEvents },
    events: events.length === 0 ? CORE_KEYS : events,
    short: {
      fromMe: choiceOf(found.fromMe),
      groups: choiceOf(found.groups),
      status: choiceOf(found.status),
      newsletters: choiceOf(found.newsletters),
    },
    filter: filter === undefined || filter === null ? '' : JSON.stringify(filter, undefined, 2),
  };
}

function choiceOf(value: boolean | undefined): Choice {
  if (value === undefined) return '';
  return value ? 'only' : 'not';
}

/** What somebody typed, and the section that it means; null takes a field away. */
export function readForm(form: URLSearchParams): ReadForm {
  const fields = typedFields(form);
  const { enabled, url, byEvents, events, short, filter } = fields;
  const parsed = parsedFilter(filter);
  const problems: FormProblem[] = [];
  if (enabled && events.length === 0) problems.push({ field: 'events', kind: 'no-events' });
  if (parsed === undefined)
    problems.push({ field: 'filter', kind: filter.length > MAX_FILTER ? 'too-long' : 'no-json' });
  if (url.length > MAX_URL) problems.push({ field: 'url', kind: 'too-long' });
  if (problems.length > 0) return { kind: 'bad', fields, problems };
  const shortFields = SHORT_FIELDS.map((name) => [name, short[name] === '' ? null : short[name] === 'only']);
  const section = { enabled, url, byEvents, events, filter: parsed, ...Object.fromEntries(shortFields) };
  return { kind: 'good', fields, section };
}

function typedFields(form: URLSearchParams): WebhookFields {
  const choice = (name: string): Choice => CHOICES.find((each) => each === form.get(name)) ?? '';
  return {
    enabled: form.get('enabled') !== null,
    url: (form.get('url') ?? '').trim().slice(0, MAX_URL + 1),
    byEvents: form.get('byEvents') !== null,
    events: [...new Set(form.getAll('events'))].slice(0, MAX_EVENTS),
    short: {
      fromMe: choice('fromMe'),
      groups: choice('groups'),
      status: choice('status'),
      newsletters: choice('newsletters'),
    },
    filter: (form.get('filter') ?? '').trim().slice(0, MAX_FILTER + 1),
  };
}

/** Null: there is none. Undefined: it is no object of JSON. */
function parsedFilter(text: string): object | null | undefined {
  if (text === '') return null;
  if (text.length > MAX_FILTER) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The field that a problem of the API is about: `webhook.url: …`, `filter.data.x: …`. */
export function fieldOf(problem: string): FormField | undefined {
  const [, name] = /^(?:webhook\.)?(\w+)/.exec(problem) ?? [];
  return FORM_FIELDS.find((field) => field === name);
}
