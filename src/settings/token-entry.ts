import { createHash } from 'node:crypto';
import type { SettingsCipher } from './cipher';
import type { Settings } from './section';

/** What the index of tokens says: the digest of an instance's token, or that its settings have none. */
export type TokenEntry = { readonly kind: 'token'; readonly digest: Buffer } | { readonly kind: 'none' };

const NONE = '-';
const DIGEST = /^[\w-]{43}$/;

/**
 * The entry of an instance in the index by which its token is checked without its settings being read: some fifty bytes,
 * a hundred where they are encrypted. Sealed like the settings, so that nobody who writes to Redis gives out tokens.
 */
export function sealEntry(cipher: SettingsCipher, instance: string, { token }: Settings): string {
  return cipher.seal(nameOf(instance), token === undefined ? NONE : digestOf(token).toString('base64url'));
}

/** @throws SettingsSealError where it cannot be opened; undefined where it is none */
export function openEntry(cipher: SettingsCipher, instance: string, entry: string): TokenEntry | undefined {
  const text = cipher.open(nameOf(instance), entry);
  if (text === NONE) return { kind: 'none' };
  return DIGEST.test(text) ? { kind: 'token', digest: Buffer.from(text, 'base64url') } : undefined;
}

/** Of the same length for every token, as comparing in constant time needs. */
export function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** No instance is called so: what is sealed for one purpose does not open for the other. */
function nameOf(instance: string): string {
  return `token\0${instance}`;
}
