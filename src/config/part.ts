import type { Config, CoreConfig } from './config';
import type { EventSwitches } from './event-switches';
import type { Reading } from './reading';
import type { ValuesOf, Variables } from './variable';

/** What one module adds to the configuration: its variables, and what is made of them. */
export interface ConfigPartDefinition<Part, Own extends Variables> {
  /** Unique among all parts. */
  readonly name: string;
  /** Heading of its variables in docs/configuration.md. */
  readonly title: string;
  readonly variables: Own;
  readonly switches?: EventSwitches;
  /** Names that hosting platforms set, each with the variable that it stands for. */
  readonly platformNames?: Readonly<Record<string, keyof Own & string>>;
  /**
   * The same for names that evolution-go shares with other programs: n8n has a `WEBHOOK_URL`, too. They count only where
   * evolution-go's own `GLOBAL_API_KEY` is set beside them.
   */
  readonly goNames?: Readonly<Record<string, keyof Own & string>>;
  /** What no single variable can show wrong is checked here. */
  read(values: ValuesOf<Own>, reading: Reading, core: CoreConfig): Part;
}

/** A module's part of the configuration, which it reads with `of`. */
export class ConfigPart<Part = unknown> {
  constructor(readonly definition: ConfigPartDefinition<Part, Variables>) {}

  /** Its values in a whole configuration. */
  of({ parts }: Config): Part {
    const { name } = this.definition;
    if (!Object.hasOwn(parts, name)) throw new RangeError(`this configuration was read without ${name}`);
    return parts[name] as Part;
  }
}

/** @returns a part whose `read` knows the types of its own variables */
export function configPart<Part, Own extends Variables>(
  definition: ConfigPartDefinition<Part, Own>,
): ConfigPart<Part> {
  return new ConfigPart(definition);
}
