import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Config } from '../config/config';
import { type Filled, isFields, type Section, type Settings, type Slot } from './section';

/** Counted up when rules change that the schema's JSON form does not show, such as sizes in bytes. */
const RULES = 2;

const instanceId = z
  .string()
  .min(1)
  .max(255)
  .describe('id that the core API gave the instance: webhooks carry it as x-instance-id');
const token = z.string().min(8, 'must be at least 8 characters').max(255);

/** What is wrong with settings at an instance of this name, and what is worth knowing. */
export interface InstanceCheck {
  /** Each names its section: `pusher: …`. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** The sections that settings may have, and what is the same for all of them. */
export class Sections {
  /** Of all settings of one instance: validation, types and the API's description. */
  readonly schema: z.ZodType<Settings>;
  /** Fields that are addresses, of whatever section. */
  readonly addressFields: ReadonlySet<string>;
  private readonly bySection: ReadonlyMap<string, Section>;
  private readonly byNamedField: ReadonlyMap<string, Section>;
  private known: string | undefined;

  constructor(readonly list: readonly Section[]) {
    const fields = list.map((section) => section.documentFields);
    this.schema = z.object({
      token: token.optional(),
      instanceId: instanceId.optional(),
      ...Object.assign({}, ...fields),
    });
    this.addressFields = new Set(list.flatMap((section) => section.fieldsWith('address')));
    this.bySection = new Map(list.map((section) => [section.name, section]));
    this.byNamedField = new Map(
      list.flatMap((section) => {
        const { named } = section.definition;
        return named === undefined ? [] : [[named.field, section] as const];
      }),
    );
  }

  /** Changes whenever the schema does. */
  get fingerprint(): string {
    this.known ??= createHash('sha256')
      .update(JSON.stringify(z.toJSONSchema(this.schema, { io: 'output', unrepresentable: 'any' })))
      .update(String(RULES))
      .digest('base64url')
      .slice(0, 8);
    return this.known;
  }

  /** Everything that is set. */
  all(settings: Settings): Filled[] {
    return this.list.flatMap((section) => section.all(settings));
  }

  /** Why sections of a document have no effect although they are set. */
  obstacles(config: Config, document: object): string[] {
    return this.list
      .filter(({ name }) => isFields(Object.entries(document).find(([field]) => field === name)?.[1]))
      .flatMap(({ definition }) => definition.obstacle?.(config) ?? []);
  }

  /** A document, of whatever form, with every value of every section changed. Other fields stay. */
  map(document: object, change: (value: unknown, slot: Slot) => unknown): object {
    return Object.fromEntries(
      Object.entries(document).map(([field, item]) => [field, this.mapField(field, item, change)]),
    );
  }

  /** A section that is set in the second replaces the same section of the first. */
  merge(first: Settings | undefined, second: Settings | undefined): Settings | undefined {
    if (first === undefined || second === undefined) return second ?? first;
    const further = [...this.byNamedField].map(([field, section]) => [
      field,
      { ...section.further(first), ...section.further(second) },
    ]);
    return { ...first, ...second, ...Object.fromEntries(further) };
  }

  /** What settings that are right in themselves cannot be at an instance, under this configuration. */
  checks(config: Config): (instance: string, settings: Settings) => InstanceCheck {
    const checkers = new Map(this.list.map((section) => [section, section.definition.checker?.(config)]));
    return (instance, settings) => {
      const all = this.all(settings).map(
        ({ slot, path, value }) => checkers.get(slot.section)?.check(instance, value, path) ?? {},
      );
      return {
        problems: all.flatMap(({ problems = [] }) => problems),
        warnings: all.flatMap(({ warnings = [] }) => warnings),
      };
    };
  }

  private mapField(field: string, item: unknown, change: (value: unknown, slot: Slot) => unknown): unknown {
    const section = this.bySection.get(field);
    if (section !== undefined) return change(item, { section });
    const further = this.byNamedField.get(field);
    if (further === undefined || !isFields(item)) return item;
    return Object.fromEntries(
      Object.entries(item).map(([name, value]) => [name, change(value, { section: further, name })]),
    );
  }
}
