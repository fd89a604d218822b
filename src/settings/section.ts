import { z } from 'zod';
import type { Config } from '../config/config';
import { type Fields, isFields } from './fields';
import { fieldsOfOff, type SwitchedSection, switchesOff } from './switched-off';

export { type Fields, isFields };

/** What is set for one instance. A section is read by its module: `webhookSection.of(settings)`. */
export interface Settings {
  /** The instance's own key for its own paths of the gateway, and its own WebSockets. */
  readonly token?: string | undefined;
  /** The id that the core API gave the instance, where it is known. */
  readonly instanceId?: string | undefined;
  readonly [section: string]: unknown;
}

/** What every section has, whatever it is about. */
export interface SectionValue {
  readonly enabled: boolean;
  /** An empty list means every event. */
  readonly events: readonly string[];
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
}

/** How a field holds secrets: it is one, its values are, or it is an address that may have some in it. */
export type SecretKind = 'text' | 'values' | 'address';

export interface SectionCheck {
  readonly problems?: readonly string[];
  readonly warnings?: readonly string[];
}

/** Says what keeps a section that is right in itself from being set for an instance. */
export interface SectionChecker<Value> {
  /** Each line begins with `path`. */
  check(instance: string, value: Value, path: string): SectionCheck;
}

/** One section of the settings: everything that the rest of the relay knows of it. */
export interface SectionDefinition<Value extends SectionValue> extends SwitchedSection {
  /** Its field in a document, and its part of the gateway's paths. */
  readonly name: string;
  readonly fields: z.ZodType<Value> & { readonly shape: object };
  /** Names that fields had in older versions of the core API, each with the present one. */
  readonly olderNames?: Readonly<Record<string, string>>;
  /** Older names that the core API reads in flat bodies only: nested under the section's name they have no effect there. */
  readonly flatOnly?: readonly string[];
  /** Where an instance may have several: further ones lie in another field of the document, by name. */
  readonly named?: NamedSections;
  /** Write-only fields. */
  readonly secrets?: Readonly<Record<string, SecretKind>>;
  /** Whether a value leads to the same place as before: stored secrets are not sent anywhere else. */
  isSamePlace?(now: Fields, before: Fields): boolean;
  /** Why it has no effect although it is set, such as a switch in the configuration. */
  obstacle?(config: Config): string | undefined;
  checker?(config: Config): SectionChecker<Value>;
  /** A check that `doctor` makes, too, as what was set by an older version or in a file may fail it. */
  readonly inspection?: SectionInspection<Value>;
  /** The core API's row, without the fields that all rows have. */
  row?(value: Value): Fields;
  /** What the core API's answer to a new instance shows of it. */
  summary?(value: Value): Fields;
  /** Redis keeps a set under this name of the instances where it is enabled. */
  readonly index?: string;
}

export interface NamedSections {
  readonly field: string;
  readonly name: z.ZodString;
  readonly max: number;
}

export interface SectionInspection<Value> {
  /** Name of the check in `doctor`. */
  readonly check: string;
  problemOf(config: Config, instance: string, value: Value): string | undefined;
}

/** One thing that is set for an instance: a section, or a further one of its kind by name. */
export interface Slot<Value extends SectionValue = SectionValue> {
  readonly section: Section<Value>;
  readonly name?: string;
}

/** A slot that has something in it. */
export interface Filled<Value extends SectionValue = SectionValue> {
  readonly slot: Slot<Value>;
  /** How problems and messages name it: `webhook`, `webhooks.n8n`. */
  readonly path: string;
  readonly value: Value;
}

export class Section<Value extends SectionValue = SectionValue> {
  readonly name: string;
  /** Of one value, older names included. */
  readonly schema: z.ZodType<Value>;

  constructor(readonly definition: SectionDefinition<Value>) {
    const { name, fields } = definition;
    this.name = name;
    this.schema = z.preprocess((value, context) => {
      const problem = formProblem(definition, value);
      if (problem === undefined) return this.prepared(value);
      context.addIssue({ code: 'custom', message: problem, input: value });
      return z.NEVER;
    }, fields);
  }

  get hasOlderNames(): boolean {
    return this.definition.olderNames !== undefined;
  }

  /** The fields of a document that it takes. */
  get documentFields(): Readonly<Record<string, z.ZodType>> {
    const { named } = this.definition;
    const own = { [this.name]: this.schema.optional() };
    if (named === undefined) return own;
    const { field, name, max } = named;
    const further = z
      .record(name, this.schema)
      .refine((value) => Object.keys(value).length <= max, `must be no more than ${max}`)
      .default({});
    return { ...own, [field]: further };
  }

  /** A value as its schema takes it: under present names, and without what is wrong in one that is switched off. */
  private prepared(value: unknown): unknown {
    const named = this.hasOlderNames ? this.withPresentNames(value) : value;
    if (!isFields(named) || !switchesOff(this.definition, named)) return named;
    return fieldsOfOff(this.definition, named);
  }

  /** What is set; undefined where nothing is. Settings are what the schema of this section let pass. */
  of(settings: Settings | undefined): Value | undefined {
    return settings?.[this.name] as Value | undefined;
  }

  /** Everything of this section that is set: the one that the core API knows, and further ones by name. */
  all(settings: Settings): Filled<Value>[] {
    const first = this.of(settings);
    const own = first === undefined ? [] : [{ slot: { section: this }, path: this.name, value: first }];
    const further = Object.entries(this.further(settings)).map(([name, value]) => {
      const slot = { section: this, name };
      return { slot, path: pathOf(slot), value };
    });
    return [...own, ...further];
  }

  /** Those that have names, by name. */
  further(settings: Settings | undefined): Readonly<Record<string, Value>> {
    const { named } = this.definition;
    return named === undefined ? {} : ((settings?.[named.field] ?? {}) as Readonly<Record<string, Value>>);
  }

  /** Its fields that hold secrets in this way. */
  fieldsWith(...kinds: readonly SecretKind[]): string[] {
    const secrets = Object.entries(this.definition.secrets ?? {});
    return secrets.filter(([, kind]) => kinds.includes(kind)).map(([name]) => name);
  }

  /** A value's fields under their present names; null is nothing. */
  withPresentNames(value: unknown): unknown {
    if (!isFields(value)) return value;
    const { olderNames = {} } = this.definition;
    const entries = Object.entries(value);
    const given = new Set(entries.map(([name]) => name));
    return Object.fromEntries(
      entries.map(([name, item]) => {
        const current = Object.hasOwn(olderNames, name) ? olderNames[name] : undefined;
        // The core API stores `headers` as null where there are none.
        return [current === undefined || given.has(current) ? name : current, item ?? undefined];
      }),
    );
  }
}

/** What a section must look like that is no object: clients of the core API 1.x sent an address, or true, in its place. */
function formProblem(
  { name, essential = [] }: Pick<SectionDefinition<SectionValue>, 'name' | 'essential'>,
  value: unknown,
): string | undefined {
  if (isFields(value) || value === undefined) return undefined;
  const fields =
    essential.length === 0 ? '"enabled": true' : essential.map((each) => `"${each}": …`).join(', ');
  return `must be an object, such as {"${name}": {${fields}}}${typeof value === 'string' ? '; a text alone was the form of the core API 1.x' : ''}`;
}

/** How problems and messages name a slot. */
export function pathOf({ section, name }: Slot): string {
  const { named } = section.definition;
  return name === undefined || named === undefined ? section.name : `${named.field}.${name}`;
}
