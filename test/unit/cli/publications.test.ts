import { type Declarations, publicationOf, sampleOf, whyNoEvent } from '../../../src/cli/publications';
import { MODULES } from '../../../src/modules';
import { rabbitMqConfig } from '../../../src/sources/rabbitmq/rabbitmq-config';
import { folderWith } from '../../support/values/folders';

test.each([
  [0, expect.stringContaining('nobody consumes the queue message: name it in RABBITMQ_QUEUES')],
  [1, undefined],
])(
  'events of evolution-go in a queue with %s consumers: nobody takes "published" for "delivered"',
  async (consumerCount, warning) => {
    const folder = folderWith();
    const { config } = MODULES.loadConfig(folder.path, {});
    folder.remove();
    const channel: Declarations = {
      assertExchange: async (exchange) => ({ exchange }),
      assertQueue: async (queue = '') => ({ queue, messageCount: 0, consumerCount }),
    };
    const { declare } = publicationOf('go', 'Message', rabbitMqConfig.of(config));
    expect(await declare(channel)).toEqual(warning);
  },
);

test('a file that no relay can take for an event is warned of: "published" would be taken for "delivered"', () => {
  expect(whyNoEvent(Buffer.from('{"a":1}'), 'messages.upsert')).toMatch(
    /^it becomes a dead letter \(INSTANCE_MISSING\): ./,
  );
  for (const [core, event] of [
    ['api', 'messages.upsert'],
    ['go', 'Message'],
  ] as const)
    expect(
      whyNoEvent(sampleOf(core, { instance: 'loja', event, index: 0, serverUrl: '' }), event),
    ).toBeUndefined();
});
