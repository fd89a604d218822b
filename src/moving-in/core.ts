import type { Fields, Section } from '../settings/section';

/** An instance of a core that settings are read from. */
export interface CoreInstance {
  readonly name: string;
  /** The id that the core gave it. */
  readonly id?: string;
  readonly token?: string;
}

/** What a core has for one section of an instance: fields under the names that the relay gives them. */
export type CoreSection =
  | { readonly kind: 'row'; readonly fields: Fields }
  | { readonly kind: 'none' }
  /** The core's own configuration switches this transport off: it says nothing about it. */
  | { readonly kind: 'off' };

/** Sections of one instance, in the order of the relay's. */
export type CoreSections = ReadonlyMap<Section, CoreSection>;

/** One of the two cores, as far as settings are read from it. */
export interface Core {
  readonly name: string;
  /** Whether its own delivery can be switched off and on. */
  readonly canHandOver: boolean;
  instances(): Promise<readonly CoreInstance[]>;
  /** @throws CoreApiError, with CORE_MISSING where the instance is gone */
  read(instance: CoreInstance): Promise<CoreSections>;
  /** Replaces one section. @throws CoreApiError */
  set(instance: CoreInstance, section: Section, fields: Fields): Promise<void>;
  close(): Promise<void>;
}
