import { runCommand } from '../support/processes/command';
import { folderWith } from '../support/values/folders';

const folder = folderWith();
afterAll(folder.remove);

test.each([
  [['worker'], { RABBITMQ_URL: 'amqp://127.0.0.1:1' }, 'RABBITMQ_URI'],
  [['publish'], { RABBITMQ_URL: 'amqp://127.0.0.1:1' }, 'RABBITMQ_URI'],
  [['gateway'], { AUTHENTICATION_APIKEY: 'x'.repeat(48) }, 'AUTHENTICATION_API_KEY'],
  [['alerts', 'test'], { ALERT_WEBHOOK_URI: 'https://a.test/' }, 'ALERT_WEBHOOK_URL'],
])(
  'what is missing is named with the misspelt name that was given for it: %j',
  async (args, given, meant) => {
    const { code, stderr } = await runCommand(args, given as Readonly<Record<string, string>>, folder.path);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`did you mean ${meant}?`)]);
  },
);
