import { fromStore } from '../errors';
import type { RedisClient } from '../redis/scripts';
import { TurnBatch } from '../time/turn-batch';
import { isSealed, type SettingsCipher } from './cipher';
import { MAX_SETTINGS_BYTES, MAX_STORED_BYTES } from './limits';
import type { Section, Settings } from './section';
import type { Sections } from './sections';
import {
  SettingsConflictError,
  SettingsInvalidError,
  SettingsRefusedError,
  SettingsSealError,
  SettingsUnreadableError,
} from './settings-errors';
import { CHANGES, INDEX_TOKEN, READ, READ_MARKED, SNAPSHOT, SWAP, TOKEN } from './settings-scripts';
import { decode, encode, sizeOf, tooLarge } from './stored';
import { stamped } from './timestamps';
import { openEntry, sealEntry, type TokenEntry } from './token-entry';

/** What Redis holds for one instance. What is unreadable stays so until it, or a key, changes. */
export type StoredSettings =
  | { readonly kind: 'absent' }
  | { readonly kind: 'readable'; readonly settings: Settings; readonly isUpToDate: boolean }
  | { readonly kind: 'unreadable'; readonly error: SettingsUnreadableError };

/** A text as it was read; a number is the length of one that is too large. */
type Text = string | number | null;

interface Wanted {
  readonly instance: string;
  readonly resolve: (text: Text) => void;
  readonly reject: (error: unknown) => void;
}

export interface SettingsStoreParts {
  readonly sections: Sections;
  readonly redis: RedisClient;
  /** `REDIS_PREFIX_KEY`. */
  readonly prefix: string;
  readonly cipher: SettingsCipher;
}

const MAX_TRIES = 20;
/** Texts in one answer: up to ten megabytes where all are as large as they may be. */
const PAGE = 100;
/** Changes that a process may miss and still hear of one by one; each is an instance's name. */
const MAX_CHANGES = 10_000;

/** The settings of instances in Redis. */
export class SettingsStore {
  /** Names an instance whose settings changed. */
  readonly channel: string;
  private readonly hash: string;
  /** Sections whose instances are kept in a set. */
  private readonly indexed: readonly Section[];
  private readonly tokens: string;
  private readonly version: string;
  private readonly changes: string;
  /** What is asked for in one turn of the event loop is one call: many instances are heard of at once at the start. */
  private readonly wanted = new TurnBatch<Wanted>((wanted) => void this.fetch(wanted));

  constructor(private readonly parts: SettingsStoreParts) {
    this.hash = `{${parts.prefix}}:settings`;
    this.tokens = `${this.hash}:tokens`;
    this.version = `${this.hash}:version`;
    this.changes = `${this.hash}:changes`;
    this.channel = `${this.hash}:changed`;
    this.indexed = parts.sections.list.filter(({ definition }) => definition.index !== undefined);
  }

  get sections(): Sections {
    return this.parts.sections;
  }

  /** @throws StoreUnavailableError */
  async lookUp(instance: string): Promise<StoredSettings> {
    const text = await new Promise<Text>((resolve, reject) => {
      this.wanted.add({ instance, resolve, reject });
    });
    return this.open(instance, text);
  }

  /** @throws SettingsUnreadableError, StoreUnavailableError */
  async read(instance: string): Promise<Settings | undefined> {
    return settingsOrThrow(await this.lookUp(instance));
  }

  /** Names of the instances that have settings here. */
  names(): Promise<string[]> {
    return fromStore(this.parts.redis.hkeys(this.hash));
  }

  /** Instances with settings here. */
  count(): Promise<number> {
    return this.parts.redis.hlen(this.hash);
  }

  /** Names of those where a section is enabled that has an index. */
  namesWith(section: Section): Promise<string[]> {
    return fromStore(this.parts.redis.smembers(this.indexOf(section)));
  }

  /** All of them, the unreadable ones too. */
  async *list(): AsyncGenerator<[instance: string, stored: StoredSettings]> {
    const names = await this.names();
    for (let start = 0; start < names.length; start += PAGE) {
      const page = names.slice(start, start + PAGE);
      const texts = await this.texts(page);
      for (const [index, instance] of page.entries()) {
        const stored = this.open(instance, texts[index] ?? null);
        // Removed meanwhile.
        if (stored.kind !== 'absent') yield [instance, stored];
      }
    }
  }

  /** The names as of one version of all settings together. */
  async snapshot(): Promise<{ readonly version: number; readonly names: readonly string[] }> {
    const answer = await this.eval(SNAPSHOT, [this.hash, this.version], []);
    const [version, names] = answer as [number, string[]];
    return { version, names };
  }

  /** Instances that changed since an earlier version; undefined: any may have. */
  async changesSince(
    since: number,
  ): Promise<{ readonly version: number; readonly instances: readonly string[] | undefined }> {
    const answer = await this.eval(CHANGES, [this.version, this.changes], [since, MAX_CHANGES]);
    const [version, instances] = answer as [number, string[] | 0];
    return { version, instances: instances === 0 ? undefined : instances };
  }

  /**
   * Changes the settings of an instance, readable or not; `undefined` removes them all. `change` may be called again
   * where somebody else was faster. Resolves to what is stored then.
   *
   * @throws SettingsConflictError, SettingsRefusedError where they would be too large
   */
  update(instance: string, change: (before: StoredSettings) => Settings): Promise<Settings>;
  update(
    instance: string,
    change: (before: StoredSettings) => Settings | undefined,
  ): Promise<Settings | undefined>;
  async update(
    instance: string,
    change: (before: StoredSettings) => Settings | undefined,
  ): Promise<Settings | undefined> {
    const indexes = this.indexed.map((section) => this.indexOf(section));
    const keys = [this.hash, this.tokens, this.version, this.changes, ...indexes];
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const [text, mark] = await this.textWithMark(instance);
      const before = this.open(instance, text);
      const changed = change(before);
      const known = before.kind === 'readable' ? before.settings : undefined;
      const after = changed === undefined ? undefined : stamped(this.sections, known, changed, new Date());
      const swapped = await this.eval(SWAP, keys, [
        instance,
        MAX_STORED_BYTES,
        mark,
        this.channel,
        MAX_CHANGES,
        ...this.argumentsFor(instance, after),
      ]);
      if (swapped === 1) return after;
    }
    throw new SettingsConflictError(instance);
  }

  /** The entry of an instance's token; undefined where its settings cannot be read. @throws StoreUnavailableError */
  async tokenEntry(instance: string): Promise<TokenEntry | undefined> {
    const answer = await this.eval(TOKEN, [this.tokens, this.hash], [instance]);
    if (answer === 0) return { kind: 'none' };
    const entry = typeof answer === 'string' ? this.openEntry(instance, answer) : undefined;
    return entry ?? this.indexToken(instance);
  }

  private openEntry(instance: string, entry: string): TokenEntry | undefined {
    try {
      return openEntry(this.parts.cipher, instance, entry);
    } catch (error) {
      if (error instanceof SettingsSealError) return undefined;
      throw error;
    }
  }

  /** Settings stored before there was an index are read, once. */
  private async indexToken(instance: string): Promise<TokenEntry | undefined> {
    const [text, mark] = await this.textWithMark(instance);
    const stored = this.open(instance, text);
    if (stored.kind !== 'readable') return stored.kind === 'absent' ? { kind: 'none' } : undefined;
    const entry = sealEntry(this.parts.cipher, instance, stored.settings);
    await this.eval(INDEX_TOKEN, [this.hash, this.tokens], [instance, MAX_STORED_BYTES, mark, entry]);
    return openEntry(this.parts.cipher, instance, entry);
  }

  private argumentsFor(instance: string, after: Settings | undefined): string[] {
    if (after === undefined) return ['', '', ...this.indexed.map(() => '0')];
    const bytes = sizeOf(after);
    if (bytes > MAX_SETTINGS_BYTES) throw new SettingsRefusedError([tooLarge(bytes)]);
    const { cipher } = this.parts;
    return [
      cipher.seal(instance, encode(this.sections, after)),
      sealEntry(cipher, instance, after),
      ...this.indexed.map((section) => (section.of(after)?.enabled === true ? '1' : '0')),
    ];
  }

  /** @throws RangeError where instances cannot be found by this section: it needs an `index` */
  private indexOf({ definition }: Section): string {
    if (definition.index === undefined) throw new RangeError(`the section ${definition.name} has no index`);
    return `${this.hash}:${definition.index}`;
  }

  private async fetch(wanted: readonly Wanted[]): Promise<void> {
    for (let start = 0; start < wanted.length; start += PAGE) {
      const page = wanted.slice(start, start + PAGE);
      try {
        const texts = await this.texts(page.map(({ instance }) => instance));
        for (const [index, { resolve }] of page.entries()) resolve(texts[index] ?? null);
      } catch (error) {
        for (const { reject } of page) reject(error);
      }
    }
  }

  private async texts(instances: readonly string[]): Promise<Text[]> {
    return (await this.eval(READ, [this.hash], [MAX_STORED_BYTES, ...instances])) as Text[];
  }

  private async textWithMark(instance: string): Promise<[text: Text, mark: string]> {
    const answer = await this.eval(READ_MARKED, [this.hash], [instance, MAX_STORED_BYTES]);
    return answer as [Text, string];
  }

  private eval(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return fromStore(this.parts.redis.eval(script, keys.length, ...keys, ...args));
  }

  private open(instance: string, text: Text): StoredSettings {
    if (text === null) return { kind: 'absent' };
    try {
      return this.openText(instance, text);
    } catch (error) {
      return { kind: 'unreadable', error: new SettingsUnreadableError(instance, error) };
    }
  }

  private openText(instance: string, text: string | number): StoredSettings {
    if (typeof text === 'number') {
      throw new SettingsSealError(
        'SETTINGS_TOO_LARGE',
        `they have ${text} bytes in Redis, and settings have no more than ${MAX_STORED_BYTES}`,
      );
    }
    const { cipher } = this.parts;
    const parsed = decode(this.sections, cipher.open(instance, text), { authentic: isSealed(text) });
    if (!parsed.ok) throw new SettingsInvalidError(parsed.problems.join('; '));
    return { kind: 'readable', settings: parsed.settings, isUpToDate: cipher.isUpToDate(text) };
  }
}

/** @throws SettingsUnreadableError */
export function settingsOrThrow(stored: StoredSettings): Settings | undefined {
  if (stored.kind === 'unreadable') throw stored.error;
  return stored.kind === 'readable' ? stored.settings : undefined;
}
