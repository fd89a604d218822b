/** What a fingerprint begins with, `mixed` with each character. */
export const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
const AT = 0x40;
const COLON = 0x3a;

/**
 * 32 bits of a text (FNV-1a): by them the log finds the few records that may be the right ones, and reads only those. 0 is
 * left to records that have no such text.
 */
export function fingerprint(text: string, seed = OFFSET): number {
  if (text === '') return 0;
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = mixed(hash, text.charCodeAt(index));
  return finished(hash);
}

/** Of a chat: by the letters and digits before `@` and the device, so that a number is found however it is written. */
export function chatFingerprint(chat: string): number {
  let hash = OFFSET;
  let count = 0;
  for (let index = 0; index < chat.length; index++) {
    const code = chat.charCodeAt(index);
    if (code === AT || code === COLON) break;
    if (!isAlphanumeric(code)) continue;
    hash = mixed(hash, code);
    count++;
  }
  return count === 0 ? 0 : finished(hash);
}

/** Letters and digits of a chat's name before `@`. */
export function chatUser(chat: string): string {
  const [user = ''] = chat.split(/[@:]/, 1);
  return user.replace(/[^0-9A-Za-z]/g, '');
}

export function mixed(hash: number, code: number): number {
  return Math.imul(hash ^ code, PRIME);
}

function isAlphanumeric(code: number): boolean {
  return (
    (code >= ZERO && code <= NINE) ||
    (code >= LOWER_A && code <= LOWER_Z) ||
    (code >= UPPER_A && code <= UPPER_Z)
  );
}

/** Spreads the last characters over all bits: ids often differ in those alone. */
export function finished(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  return mixed >>> 0 || 1;
}
