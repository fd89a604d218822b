import { shownLetterStory } from '../../../src/dead-letters/shown-letter';
import type { DeliveryId } from '../../../src/pipeline/delivery';

test('a dead letter is shown with the time of each attempt as ISO, as its own is', () => {
  const outcome = { kind: 'failed', code: 'HTTP_503', status: 503 } as const;
  const shown = shownLetterStory({
    id: 'dlv_1' as DeliveryId,
    destination: 'webhook:global',
    event: 'messages.upsert',
    instance: 'loja',
    reason: 'attempts-exhausted',
    at: 2000,
    bytes: 2,
    history: [{ attempt: 1, at: 1000, durationMs: 5, outcome }],
    body: Buffer.from('{}'),
  });
  expect(shown).toMatchObject({
    at: '1970-01-01T00:00:02.000Z',
    history: [{ attempt: 1, at: '1970-01-01T00:00:01.000Z', durationMs: 5, outcome }],
    body: '{}',
  });
});
