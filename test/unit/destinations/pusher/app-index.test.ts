import { type KnownApp, PusherAppIndex } from '../../../../src/destinations/pusher/gateway/app-index';
import type { Settings } from '../../../../src/settings/section';

const GLOBAL = { appId: '1', key: 'global', secret: 's' };
const settingsOf = (appId: string, key = 'k'): Settings =>
  ({
    pusher: { enabled: true, appId, key, secret: 's', cluster: 'eu', useTLS: true, events: [] },
  }) as unknown as Settings;

function indexOf(
  entries: readonly (readonly [string, Settings] | Error)[],
  read: KnownApp[][] = [],
): PusherAppIndex {
  return new PusherAppIndex({
    global: GLOBAL,
    allSettings: async function* () {
      for (const entry of entries) {
        if (entry instanceof Error) throw entry;
        yield entry;
      }
    },
    onRead: (apps) => read.push([...apps]),
  });
}

test('instances that share an app are one app; others with its id are others', async () => {
  const read: KnownApp[][] = [];
  const index = indexOf(
    [
      ['a', settingsOf('7')],
      ['b', settingsOf('7')],
      ['c', settingsOf('7', 'other')],
      ['d', { webhooks: {} }],
    ],
    read,
  );
  const apps = await index.appsOf('7');
  expect(apps.map(({ credentials, instances }) => [credentials.key, [...(instances ?? [])]])).toEqual([
    ['k', ['a', 'b']],
    ['other', ['c']],
  ]);
  expect(await index.appsOf('8')).toEqual([]);
  expect(read.map((each) => each.length)).toEqual([3]);
});

test('while settings cannot be read the global app is known, and an own one is not denied', async () => {
  const index = indexOf([['a', settingsOf('7')], new Error('away')]);
  expect(await index.appsOf('1')).toEqual([{ credentials: GLOBAL, instances: undefined }]);
  await expect(index.appsOf('7')).rejects.toThrow('away');
});
