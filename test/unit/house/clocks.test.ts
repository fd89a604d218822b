import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SRC = join(__dirname, '../../../src');

/** Rooms for people, who ask for times of the day and are shown them. */
const SHOWS_TIMES = /^(cli|dashboard|gateway\/routes)\//;

/** Times that are stored, sent, shown, or compared with those of somebody else. */
const READS_THE_WALL_CLOCK = [
  'alerts/alert-sender.ts',
  'alerts/alert-watch.ts',
  'delivery-log/delivery-log.ts',
  'delivery-log/log-notes.ts',
  'destinations/http/address-check.ts',
  'destinations/pusher/diagnosis.ts',
  // `Retry-After` may be a date.
  'destinations/pusher/pusher-answer.ts',
  // A token has its times by it.
  'destinations/webhook/headers.ts',
  'destinations/webhook/webhook-destination.ts',
  'destinations/webhook/webhook-sample.ts',
  'events/sample.ts',
  'health/destination-list.ts',
  'pipeline/attempts.ts',
  'pipeline/relay.ts',
  'redis/redis-doctor.ts',
  'references/reference-reader.ts',
  'references/reference-store.ts',
  'replays/replay-runner.ts',
  'replays/replay-store.ts',
  'settings/settings-store.ts',
  // What other workers have noted.
  'sources/rabbitmq/unwanted-bindings.ts',
  // When SQS took a message.
  'sources/sqs/depths.ts',
  'sources/sqs/inbox.ts',
  'time/monotonic.ts',
  'worker/observer.ts',
];

/** A clock that is set back would keep what waits by it waiting, for an hour or a day. */
it('how long something takes is measured by a clock that nobody sets', () => {
  const reading = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.ts') && !SHOWS_TIMES.test(name))
    .filter((name) => /\bDate\.now\b|new Date\(\)/.test(readFileSync(join(SRC, name), 'utf8')));
  expect(reading.sort()).toEqual(READS_THE_WALL_CLOCK);
});
