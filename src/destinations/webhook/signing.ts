import { createHmac } from 'node:crypto';

/** A symmetric key of Standard Webhooks 1.0: base64, with or without `whsec_` before it. */
export function signingKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
}

/**
 * Value of `webhook-signature`: one `v1,<base64>` for each key, so that receivers accept the old and the new
 * secret while rotating (Standard Webhooks 1.0, "Signature scheme"). The specification's own library signs with
 * SHA-256 in JavaScript and turns the body into a string, which would block the process on a 20 MB body; the
 * tests check every signature with it.
 */
export function sign(keys: readonly Buffer[], id: string, timestamp: number, body: Buffer): string {
  return keys
    .map(
      (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
    )
    .join(' ');
}
