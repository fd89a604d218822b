const KEPT = new WeakSet<object>();

/** Notes that a body is in memory for good: answers refer to it, and take nothing more however many of them nobody reads. */
export function keptBody(body: Buffer): Buffer {
  KEPT.add(body);
  return body;
}

export function isKept(payload: unknown): boolean {
  return Buffer.isBuffer(payload) && KEPT.has(payload);
}
