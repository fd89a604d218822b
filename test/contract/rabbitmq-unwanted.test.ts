import type { SourceMessage } from '../../src/pipeline/message';
import type { RabbitMqSource } from '../../src/sources/rabbitmq/rabbitmq-source';
import type { ConsumedExchange } from '../../src/sources/rabbitmq/topology';
import type { KeptNotes } from '../../src/sources/source-module';
import { QUORUM, RabbitHarness } from '../support/harness/rabbit-harness';
import { untilReady } from '../support/harness/sources';
import { eventually, Happenings } from '../support/signals/signals';

let harness: RabbitHarness;
let kept: Map<string, string>;
beforeEach(async () => {
  harness = await RabbitHarness.open();
  kept = new Map();
});
afterEach(() => harness.close());

const notes: KeptNotes = {
  all: async () => new Map(kept),
  set: async (given) => {
    for (const [name, note] of given) kept.set(name, note);
  },
  remove: async (name) => void kept.delete(name),
};

interface Setup {
  readonly exchanges: readonly ConsumedExchange[];
  readonly reserved?: readonly string[];
}

async function started({ exchanges, reserved = [] }: Setup) {
  const topology = { mode: 'dedicated', queue: harness.queue, prefixKey: harness.prefix, reserved } as const;
  const source: RabbitMqSource = harness.create({}, { exchanges, topology, notes });
  const bodies = new Happenings<string>();
  await source.start((message: SourceMessage) => {
    message.settle('ack');
    bodies.add(message.body.toString());
  });
  await untilReady(source);
  return { source, bodies };
}

const said = (exchange: string): Promise<unknown> =>
  eventually(
    () =>
      harness.logged.all.find(
        ([line, fields]) => line.includes('no longer wanted') && fields?.['exchange'] === exchange,
      ),
    `a line about ${exchange}`,
  );

describe('bindings that are no longer wanted are taken away, and that is said (finding 7.6)', () => {
  test('another name of the global exchange: the old one delivers nothing any more', async () => {
    const other = await harness.declareExchange(`${harness.prefix}.other`);
    const first = await started({ exchanges: [{ name: harness.exchange, events: 'all' }] });
    await eventually(() => kept.get(`exchange ${harness.exchange}`), 'a note of what is bound');
    await first.source.close();
    const { bodies } = await started({ exchanges: [{ name: other, events: 'all' }] });
    await harness.publish('old');
    await harness.publish('new', 'messages.upsert', other);
    expect(await bodies.count(1)).toEqual(['new']);
    await said(harness.exchange);
    expect([...kept.keys()]).not.toContain(`exchange ${harness.exchange}`);
  });

  test('RABBITMQ_GLOBAL_ENABLED=false: what an older version bound goes, too, although nobody noted it', async () => {
    await harness.channel.assertQueue(harness.queue, QUORUM);
    for (const key of ['#', '#.messages.upsert'])
      await harness.channel.bindQueue(harness.queue, harness.exchange, key);
    const instance = await harness.declareExchange(`${harness.prefix}.loja`);
    const { bodies } = await started({
      exchanges: [{ name: instance, instance, events: 'all' }],
      reserved: [harness.exchange],
    });
    await harness.publish('global');
    await harness.publish('own', 'messages.upsert', instance);
    expect(await bodies.count(1)).toEqual(['own']);
  });

  test('what another worker that lives wants stays', async () => {
    const other = await harness.declareExchange(`${harness.prefix}.other`);
    const first = await started({ exchanges: [{ name: harness.exchange, events: 'all' }] });
    await eventually(() => kept.get(`exchange ${harness.exchange}`), 'a note of what is bound');
    const second = await started({ exchanges: [{ name: other, events: 'all' }] });
    await harness.publish('old');
    await eventually(
      () => (first.bodies.all.length + second.bodies.all.length === 1 ? true : undefined),
      'the event of the first worker',
    );
  });

  test('an instance that was switched off while no worker ran is known to the next one', async () => {
    const instance = await harness.declareExchange(`${harness.prefix}.loja`);
    const own = { name: instance, instance, events: 'all' } as const;
    const first = await started({ exchanges: [{ name: harness.exchange, events: 'all' }, own] });
    await eventually(() => kept.get(`instance ${instance}`), 'a note of what is bound');
    await first.source.close();
    const { source, bodies } = await started({ exchanges: [{ name: harness.exchange, events: 'all' }] });
    // Until its settings were read they may say anything.
    expect(await source.notedInstances()).toEqual([instance]);
    source.dropExchange(instance);
    await said(instance);
    await harness.publish('own', 'messages.upsert', instance);
    await harness.publish('global');
    expect(await bodies.count(1)).toEqual(['global']);
  });

  test('notes that cannot be read keep nothing from being consumed', async () => {
    kept.set(`exchange ${harness.exchange}`, 'no note');
    const { bodies } = await started({ exchanges: [{ name: harness.exchange, events: 'all' }] });
    await harness.publish('x');
    await bodies.count(1);
  });
});
