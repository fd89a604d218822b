/** Id of an entry of a Redis stream: milliseconds and a number within them. Also the id that clients see. */
export type StreamId = string;

export function isStreamId(text: string): boolean {
  return /^\d{1,15}-\d{1,15}$/.test(text);
}

/** Negative where `a` comes before `b`. */
export function compareIds(a: StreamId, b: StreamId): number {
  const [aTime = '', aNumber = ''] = a.split('-');
  const [bTime = '', bNumber = ''] = b.split('-');
  return Number(aTime) - Number(bTime) || Number(aNumber) - Number(bNumber);
}
