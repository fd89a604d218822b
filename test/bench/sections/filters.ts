import { Redis } from 'ioredis';
import { MODULES } from '../../../src/modules';
import { SettingsCipher } from '../../../src/settings/cipher';
import { SettingsStore } from '../../../src/settings/settings-store';
import { startContestant } from '../contestants/contestants';
import type { Bench } from '../context';
import { type EventSize, Events } from '../events';
import { figure, heading, verdict } from '../report';
import { median, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const DESTINATIONS = 10;
const SIZES: readonly EventSize[] = ['small', 'large'];
/** Every event of the benchmark passes all of them: as many requests are made with them as without. */
const CONDITIONS = {
  off: {},
  'short form': {
    fromMe: false,
    groups: false,
    status: false,
    newsletters: false,
    chats: { except: ['120363000000000001@g.us'] },
    messageTypes: { except: ['reactionMessage'] },
  },
} as const;
type Mode = keyof typeof CONDITIONS;
const GOAL = 0.85;
const ENVIRONMENT = { WEBHOOK_GLOBAL_URL: '', WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8' };

/** What conditions on content cost: ten webhooks of one instance, each with the short form, beside ten without. */
export async function measureFilters(bench: Bench): Promise<void> {
  for (const size of SIZES) await measureSize(bench, size);
}

async function measureSize(bench: Bench, size: EventSize): Promise<void> {
  const { print, options } = bench;
  const modes = Object.keys(CONDITIONS) as Mode[];
  const measured = new Map<Mode, Throughput[]>(modes.map((mode) => [mode, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const mode of round % 2 === 0 ? modes : [...modes].reverse()) {
      const throughput = await measure(bench, mode, size);
      measured.get(mode)?.push(throughput);
      bench.progress(`filters ${size}, round ${round + 1}: ${mode} ${text([throughput])}`);
    }
  }
  const kilobytes = (Events.meanBytes(size) / 1000).toFixed(1);
  heading(
    print,
    `Filters on content: ${options.events} requests, events of ${kilobytes} KB to ${DESTINATIONS} webhooks, median of ${options.rounds}`,
  );
  for (const [mode, throughputs] of measured) figure(print, mode, text(throughputs));
  const ratesOf = (mode: Mode): number[] => (measured.get(mode) ?? []).map(({ rate }) => rate);
  const values = ratios(ratesOf('short form'), ratesOf('off'));
  verdict(print, { what: 'short form / off', value: median(values), atLeast: GOAL, rounds: values });
}

async function measure(bench: Bench, mode: Mode, size: EventSize): Promise<Throughput> {
  const { options } = bench;
  const source = new Events(size);
  const { instance } = JSON.parse(source.next().toString()) as { instance: string };
  await setWebhooks(bench, instance, mode);
  const events = { ...options, events: Math.ceil(options.events / DESTINATIONS) };
  const throughput = await drainQueue(
    { ...bench, options: events },
    `filters ${mode}`,
    source,
    () => startContestant(bench, 'relay', '', ENVIRONMENT),
    { expected: events.events * DESTINATIONS },
  );
  await bench.redis.clear();
  return throughput;
}

async function setWebhooks(
  { redis: { uri, prefix }, receiver }: Bench,
  instance: string,
  mode: Mode,
): Promise<void> {
  const redis = new Redis(uri);
  const { sections } = MODULES;
  const store = new SettingsStore({ sections, redis, prefix, cipher: new SettingsCipher([]) });
  const webhooks = Object.fromEntries(
    Array.from({ length: DESTINATIONS }, (_, number) => [
      `hook-${number}`,
      { url: `${receiver.url}/${number}`, base64: true, ...CONDITIONS[mode] },
    ]),
  );
  const settings = sections.schema.parse({ webhooks });
  await store.update(instance, () => settings);
  redis.disconnect();
}
