import { createHash } from 'node:crypto';

/** Characters: enough to tell a few addresses apart, and too little to confirm a guess at a key within one. */
const LENGTH = 4;

/** Tells whether two workers send to the same address, without saying which that is. */
export function addressFingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, LENGTH);
}
