import { parseEnvelope } from '../../../src/events/envelope';
import type { Measure } from './case';

const MB = 1_000_000;

/** What the worker does with a message before it is routed. */
export async function largeMessage(
  measure: Measure,
  megabytes: number,
  kind: 'base64' | 'dense',
): Promise<number[]> {
  const small = bodyOf(kind, MB / 10);
  for (let round = 0; round < 20; round++) parseEnvelope(small, { routingKey: 'messages.upsert' });
  const body = bodyOf(kind, megabytes * MB);
  return [await measure(() => parseEnvelope(body, { routingKey: 'messages.upsert' }))];
}

function bodyOf(kind: 'base64' | 'dense', bytes: number): Buffer {
  const item = '{"a":1,"b":[true,null],"c":"d"}';
  const data =
    kind === 'base64'
      ? `{"message":{"base64":"${'QUJD'.repeat(bytes / 4)}"}}`
      : `[${Array(Math.floor(bytes / (item.length + 1)))
          .fill(item)
          .join(',')}]`;
  return Buffer.from(`{"event":"messages.upsert","instance":"loja","data":${data},"date_time":"now"}`);
}
