import type { ConsumeMessage } from 'amqplib';
import type { OrderMarker } from '../source-module';

const HEADER = 'x-evolution-relay-order';

export function markerHeaders({ kind }: OrderMarker): Record<string, string> {
  return { [HEADER]: kind };
}

export function markerBody({ destinations }: OrderMarker): Buffer {
  return Buffer.from(JSON.stringify(destinations));
}

/** Only what was sent to the queue itself: no event comes without an exchange. */
export function isMarker({ fields, properties }: ConsumeMessage): boolean {
  return fields.exchange === '' && properties.headers?.[HEADER] !== undefined;
}

/** Undefined where a later version wrote it, or somebody else. */
export function readMarker({ content, properties }: ConsumeMessage): OrderMarker | undefined {
  const kind: unknown = properties.headers?.[HEADER];
  if (kind !== 'join' && kind !== 'leave' && kind !== 'sweep') return undefined;
  try {
    const read: unknown = JSON.parse(content.toString());
    if (!Array.isArray(read)) return undefined;
    return { kind, destinations: read.map((pair) => [String(pair?.[0]), String(pair?.[1])] as const) };
  } catch {
    return undefined;
  }
}
