import { z } from 'zod';
import type { DescribedSection } from './form-fields';
import type { ApiAnswer, OwnApi } from './own-api';
import type { Viewer } from './viewer';

/** One thing that may be set for an instance: a section, or a further one of its kind by its name. */
export interface ChosenSection {
  readonly instance: string;
  readonly section: DescribedSection;
  readonly name: string | undefined;
}

/** All that is set for an instance, masked; or why it cannot be read. */
export type ReadSettings =
  | { readonly kind: 'read'; readonly document: Readonly<Record<string, unknown>> }
  | { readonly kind: 'refused'; readonly answer: ApiAnswer };

const documentSchema = z.record(z.string(), z.unknown()).nullable();
/** Names of further ones; `.` and `..` would lead elsewhere in an address. */
const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

/** Reads and sets sections by the routes that everybody uses, as the viewer. */
export class SectionReader {
  constructor(
    private readonly api: OwnApi,
    readonly sections: readonly DescribedSection[],
  ) {}

  /** Undefined where there is no such section, or it has no further ones. */
  chosen(instance: string, sectionName: string, name: string | undefined): ChosenSection | undefined {
    const section = this.sections.find((each) => each.name === sectionName);
    if (section === undefined) return undefined;
    if (name !== undefined && (section.further === undefined || !NAME.test(name))) return undefined;
    return { instance, section, name };
  }

  async read(viewer: Viewer, instance: string): Promise<ReadSettings> {
    const url = `/settings/find/${encodeURIComponent(instance)}`;
    const answer = await this.api.ask(viewer, { method: 'GET', url });
    const parsed = documentSchema.safeParse(answer.body);
    if (!answer.isOk || !parsed.success) return { kind: 'refused', answer };
    return { kind: 'read', document: parsed.data ?? {} };
  }

  set(viewer: Viewer, { instance, section, name }: ChosenSection, changes: object): Promise<ApiAnswer> {
    const own = name === undefined ? '' : `/${encodeURIComponent(name)}`;
    const url = `/${section.name}/set/${encodeURIComponent(instance)}${own}`;
    return this.api.ask(viewer, { method: 'POST', url, body: { [section.name]: changes } });
  }
}

/** What is set; undefined where nothing is. */
export function valueIn(
  document: Readonly<Record<string, unknown>>,
  { section, name }: Pick<ChosenSection, 'section' | 'name'>,
): unknown {
  return name === undefined ? document[section.name] : furtherIn(document, section).get(name);
}

/** Those that have names, by name. */
export function furtherIn(
  document: Readonly<Record<string, unknown>>,
  { further }: DescribedSection,
): ReadonlyMap<string, unknown> {
  const parsed = documentSchema.safeParse(further === undefined ? undefined : document[further]);
  return new Map(Object.entries(parsed.data ?? {}));
}

/** As problems name it: `pusher`, `webhooks.n8n`. */
export function pathOfChosen({ section, name }: Pick<ChosenSection, 'section' | 'name'>): string {
  return name === undefined ? section.name : `${section.further ?? section.name}.${name}`;
}
