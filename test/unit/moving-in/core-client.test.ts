import { MODULES } from '../../../src/modules';
import { CoreClient } from '../../../src/moving-in/core-client';
import { HttpTarget } from '../../support/servers/http-target';

test('an answer without end is named as that, and not asked for again and again', async () => {
  const target = await HttpTarget.start();
  let asked = 0;
  target.answer = (response) => {
    asked++;
    response.on('error', () => {}).writeHead(200, { 'content-type': 'application/json' });
    const write = (): void => {
      while (!response.destroyed && response.write('[1,'.repeat(1000)));
    };
    response.on('drain', write);
    write();
  };
  const { config } = MODULES.loadConfig(__dirname, {});
  const client = new CoreClient({
    ...{ url: target.url, key: 'key', outgoing: config.outgoing, connections: 1, maxAnswer: 100_000 },
  });
  try {
    await expect(client.ask('GET', '/instance/fetchInstances')).rejects.toMatchObject({
      code: 'CORE_NOT_FOUND',
      message: expect.stringContaining('its answer does not end'),
    });
    expect(asked).toBe(1);
  } finally {
    await client.close();
    await target.stop();
  }
});
