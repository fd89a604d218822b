import { DeadLetters } from '../../src/dead-letters/dead-letters';
import { RelayRedis } from '../../src/redis/relay-redis';
import { RetryStore } from '../../src/retry/retry-store';
import { messageEvents, type OutgoingEvent } from '../support/clients/publisher';
import { Scenario } from '../support/harness/scenario';

jest.setTimeout(120_000);

const BAD = 500;
const GOOD = 2000;
/** Names no event of the catalogue, and no instance. */
const UNUSABLE = 'no.such.thing';

/** Each makes a body that can never be an event; `tag` makes it unique. */
const kinds: readonly ((tag: string) => { body: string | Buffer; routingKey?: string })[] = [
  (tag) => ({ body: `not JSON at all ${tag}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":{"cut":"${tag}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":{"tag":"${tag}"}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":"${tag}"} and more` }),
  (tag) => ({ body: `[{"event":"messages.upsert","instance":"${tag}"}]` }),
  (tag) => ({ body: `${Number.parseInt(tag, 10)}` }),
  (tag) => ({ body: `-${Number.parseInt(tag, 10)}.5e3` }),
  (tag) => ({ body: `"only a text ${tag}"` }),
  (tag) => ({ body: `null ${tag}` }),
  (tag) => ({ body: Buffer.concat([Buffer.from(`{"event":"messages.upsert","instance":"${tag}`), INVALID]) }),
  (tag) => ({
    body: Buffer.concat([Buffer.from([0, 1, 2, 0xff, 0xd8]), Buffer.from(tag), Buffer.alloc(64)]),
  }),
  (tag) => ({ body: Buffer.from(`{"event":"messages.upsert","instance":"${tag}","data":{}}`, 'utf16le') }),
  (tag) => ({ body: `\ufeff{"event":"messages.upsert","instance":"${tag}","data":{}}` }),
  (tag) => ({ body: `{"instance":"i","data":"${tag}"}`, routingKey: UNUSABLE }),
  (tag) => ({ body: `{"event":"messages.upsert","data":"${tag}"}`, routingKey: UNUSABLE }),
  (tag) => ({ body: `{"event":null,"instance":null,"data":"${tag}"}`, routingKey: UNUSABLE }),
  (tag) => ({ body: `{"event":"","instance":"","data":"${tag}"}`, routingKey: UNUSABLE }),
  (tag) => ({ body: `{"event":7,"instance":["${tag}"],"data":null}`, routingKey: UNUSABLE }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":{"a":"${tag}"}}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":${'['.repeat(50_000)}"${tag}"` }),
  (tag) => ({ body: `${'{"a":'.repeat(50_000)}"${tag}"` }),
  (tag) => ({ body: `{'event':'messages.upsert','instance':'${tag}'}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":[1,2,${tag},]}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":0${tag}}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":NaN,"tag":"${tag}"}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":"\\x ${tag}"}` }),
  (tag) => ({ body: `{"event":"messages.upsert","instance":"i","data":"a\nb ${tag}"}` }),
  (tag) => ({ body: `{"event" "messages.upsert","instance":"${tag}"}` }),
  (tag) => ({ body: `{"__proto__":{"event":"messages.upsert"},"data":"${tag}"}`, routingKey: UNUSABLE }),
  (tag) => ({ body: ' \r\n\t'.repeat(Number.parseInt(tag, 10) + 1) }),
];
const INVALID = Buffer.from([0xc3, 0x28, 0xed, 0xa0, 0x80, 0xfe, 0x22, 0x7d]);

/** All different; the empty body can only be there once. */
function malformedEvents(): OutgoingEvent[] {
  const events: OutgoingEvent[] = [{ key: '', routingKey: 'messages.upsert', body: () => Buffer.alloc(0) }];
  for (let index = 1; index < BAD; index++) {
    const make = kinds[index % kinds.length] ?? fail;
    const { body, routingKey = 'messages.upsert' } = make(String(1000 + index));
    const bytes = Buffer.from(body);
    events.push({ key: '', routingKey, body: () => bytes });
  }
  return events;
}

function fail(): never {
  throw new Error('no such kind');
}

/** Malformed messages spread among the good ones. */
function mix(good: readonly OutgoingEvent[], bad: readonly OutgoingEvent[]): OutgoingEvent[] {
  return good.flatMap((event, index) => {
    const from = Math.floor((index * bad.length) / good.length);
    const to = Math.floor(((index + 1) * bad.length) / good.length);
    return [event, ...bad.slice(from, to)];
  });
}

const hex = (bodies: readonly Buffer[]): string[] => bodies.map((body) => body.toString('hex')).sort();

describe('malformed messages among good ones', () => {
  let scenario: Scenario;
  let redis: RelayRedis;
  let store: RetryStore;

  beforeAll(async () => {
    scenario = await Scenario.start();
    redis = new RelayRedis(String(scenario.env['REDIS_URI']));
    store = new RetryStore({ redis, prefix: scenario.name, onError: () => {} });
  });

  afterAll(async () => {
    await store.close();
    redis.disconnect();
    await scenario.close();
  });

  test('are dead-lettered raw, each exactly once, and keep nothing else from being delivered', async () => {
    const bad = malformedEvents();
    const good = messageEvents(scenario.name, GOOD);
    const worker = await scenario.startWorker();
    scenario.published.push(...good.map(({ key }) => key));
    await scenario.broker.publish(mix(good, bad), 1500);

    await scenario.untilAllAccepted();
    const audit = await scenario.untilAudited(({ dead }) => dead >= BAD, 'none');
    expect(audit).toMatchObject({ accepted: BAD, delivered: 0, parked: 0, dead: BAD, discarded: 0 });
    // Every message came in once: nothing was given back to the broker to come again.
    expect(await worker.total('relay_events_received_total')).toBe(GOOD + BAD);
    expect(await worker.total('relay_dead_letters_total')).toBe(BAD);
    await scenario.conclude(`${BAD} malformed messages`);
    expect(scenario.receiver.tallies.size).toBe(GOOD);

    const listed = await scenario.command(
      'dead-letters',
      'ls',
      '--reason',
      'malformed',
      '--limit',
      '1000',
      '--json',
    );
    expect(listed.code).toBe(0);
    const letters = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; reason: string; detail: string });
    expect(letters).toHaveLength(BAD);
    expect(new Set(letters.map(({ id }) => id)).size).toBe(BAD);
    const codes = new Set(letters.map(({ detail }) => detail));
    expect([...codes].sort()).toEqual([
      'BODY_EMPTY',
      'BODY_NOT_JSON',
      'BODY_NOT_OBJECT',
      'BODY_NOT_UTF8',
      'EVENT_MISSING',
      'INSTANCE_MISSING',
    ]);

    const deadLetters = new DeadLetters(store);
    const stored = await Promise.all(letters.map(({ id }) => deadLetters.show(id)));
    expect(hex(stored.map((letter) => letter?.body ?? fail()))).toEqual(
      hex(bad.map((event) => event.body())),
    );

    for (const code of codes) {
      const { id } = letters.find(({ detail }) => detail === code) ?? fail();
      const shown = await scenario.command('dead-letters', 'show', id);
      const body = stored.find((letter) => letter?.id === id)?.body ?? fail();
      expect(JSON.parse(shown.stdout)).toMatchObject({
        id,
        reason: 'malformed',
        body: body.toString('utf8'),
      });
    }
  });
});
