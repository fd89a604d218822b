import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../child';
import { startContestant, startScript } from '../contestants/contestants';
import type { Bench } from '../context';
import { Events } from '../events';
import type { Receiver } from '../receivers/receiver';
import { figure, heading, verdict } from '../report';
import { median, percentile, ratios } from '../statistics';
import { drainQueue, type Throughput, text } from './throughput';

const GOALS = { requestsPerEvent: 0.12, faster: 5, lingerMs: 10 };
/** Channels. */
const INSTANCES = 10;
const PER_SECOND = 100;
const SECONDS = 10;
const WARM_UP_SECONDS = 3;
const LATE_MS = 20_000;
/** What the linger adds is measured against none. */
const LINGERS = { 'no linger': { PUSHER_BATCH_LINGER_MS: '0' }, 'default linger': {} } as const;
type Linger = keyof typeof LINGERS;

type Environment = Readonly<Record<string, string>>;

interface Counts {
  readonly events: number;
  readonly requests: number;
}

/** Pusher's test server in a process of its own. */
class PusherProcess {
  private constructor(
    private readonly child: Child,
    readonly env: Environment,
  ) {}

  static async start({ cleanup, folder }: Bench): Promise<PusherProcess> {
    const args = Child.script('receivers/pusher-process.ts');
    const child = await Child.start({ name: 'pusher', args, env: {}, folder }, cleanup);
    const { port, id, key, secret } = await child.message<{
      port: number;
      id: string;
      key: string;
      secret: string;
    }>();
    return new PusherProcess(child, {
      WEBHOOK_GLOBAL_URL: '',
      PUSHER_GLOBAL_APP_ID: id,
      PUSHER_GLOBAL_KEY: key,
      PUSHER_GLOBAL_SECRET: secret,
      PUSHER_GLOBAL_HOST: '127.0.0.1',
      PUSHER_GLOBAL_PORT: String(port),
      PUSHER_GLOBAL_USE_TLS: 'false',
    });
  }

  counts(): Promise<Counts> {
    return this.ask('counts');
  }

  latencies(): Promise<number[]> {
    return this.ask('latencies');
  }

  stop(): Promise<void> {
    return this.child.stop();
  }

  private ask<T>(question: string): Promise<T> {
    const answer = this.child.message<T>();
    this.child.send(question);
    return answer;
  }
}

/** What batches save, and what waiting for them costs. */
export async function measurePusher(bench: Bench): Promise<void> {
  await measureSaturation(bench);
  await measureLinger(bench);
}

interface Saturation extends Throughput {
  readonly requestsPerEvent: number;
}

async function measureSaturation(bench: Bench): Promise<void> {
  const relay: Saturation[] = [];
  const trigger: Saturation[] = [];
  for (let round = 0; round < bench.options.rounds; round++) {
    const measured = [
      async () => relay.push(await saturate(bench, 'relay')),
      async () => trigger.push(await saturate(bench, 'trigger')),
    ];
    for (const measure of round % 2 === 0 ? measured : measured.reverse()) await measure();
    bench.progress(
      `pusher, round ${round + 1}: relay ${text(relay.slice(-1))}; trigger ${text(trigger.slice(-1))}`,
    );
  }
  heading(
    bench.print,
    `Pusher: ${bench.options.events} events on ${INSTANCES} channels, median of ${bench.options.rounds}`,
  );
  figure(bench.print, 'one trigger per event', text(trigger));
  figure(bench.print, 'relay', text(relay));
  const faster = ratios(
    relay.map(({ rate }) => rate),
    trigger.map(({ rate }) => rate),
  );
  verdict(bench.print, {
    what: 'relay / trigger',
    value: median(faster),
    atLeast: GOALS.faster,
    rounds: faster,
  });
  const requests = relay.map(({ requestsPerEvent }) => requestsPerEvent);
  verdict(bench.print, {
    what: 'requests per event',
    value: median(requests),
    atMost: GOALS.requestsPerEvent,
    rounds: requests,
  });
}

async function saturate(bench: Bench, contestant: 'relay' | 'trigger'): Promise<Saturation> {
  const pusher = await PusherProcess.start(bench);
  const receiver: Receiver = {
    name: 'pusher',
    url: '',
    received: async () => (await pusher.counts()).events,
  };
  const throughput = await drainQueue(
    { ...bench, receiver },
    contestant,
    new Events('small', INSTANCES),
    () =>
      contestant === 'relay'
        ? startContestant(bench, 'relay', '', pusher.env)
        : startScript(bench, 'trigger', 'contestants/pusher-trigger.ts', pusher.env),
  );
  const { events, requests } = await pusher.counts();
  await pusher.stop();
  await bench.redis.clear();
  return { ...throughput, requestsPerEvent: requests / events };
}

async function measureLinger(bench: Bench): Promise<void> {
  const measured: Record<Linger, number[][]> = { 'no linger': [], 'default linger': [] };
  const names = Object.keys(LINGERS) as Linger[];
  for (let round = 0; round < bench.options.rounds; round++) {
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      measured[name].push(await latenciesWith(bench, LINGERS[name]));
    }
  }
  heading(
    bench.print,
    `Pusher: publish to received, ${PER_SECOND} events/s for ${SECONDS} s, median of ${bench.options.rounds}`,
  );
  const at = (name: Linger, share: number) => measured[name].map((latencies) => percentile(latencies, share));
  for (const name of names) {
    const [p50, p99] = [median(at(name, 0.5)), median(at(name, 0.99))];
    figure(bench.print, name, `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
  const without = at('no linger', 0.99);
  const added = at('default linger', 0.99).map((value, round) => value - (without[round] ?? Number.NaN));
  verdict(bench.print, {
    what: 'added by the linger, p99',
    value: median(added),
    unit: ' ms',
    atMost: GOALS.lingerMs,
    rounds: added,
  });
}

async function latenciesWith(bench: Bench, env: Environment): Promise<number[]> {
  const { broker } = bench;
  const pusher = await PusherProcess.start(bench);
  await broker.renewQueue();
  const child = await startContestant(bench, 'relay', '', { ...pusher.env, ...env });
  while (!(await broker.hasConsumer())) {
    child.check();
    await delay(20);
  }
  const events = new Events('small', INSTANCES);
  await publishSteadily(WARM_UP_SECONDS, () => broker.publishNow(events.routingKey, events.next()));
  await publishSteadily(SECONDS, () =>
    broker.publishNow(events.routingKey, events.next(process.hrtime.bigint())),
  );
  const deadline = Date.now() + LATE_MS;
  while ((await pusher.counts()).events < (WARM_UP_SECONDS + SECONDS) * PER_SECOND) {
    child.check();
    if (Date.now() > deadline) throw new Error('not every event was received');
    await delay(100);
  }
  const latencies = await pusher.latencies();
  await child.stop();
  await pusher.stop();
  await bench.redis.clear();
  return latencies;
}

/** One by one, as they would come: in bursts they would share requests anyway. */
async function publishSteadily(seconds: number, publish: () => void): Promise<void> {
  const startedAt = performance.now();
  for (let published = 0; published < seconds * PER_SECOND; ) {
    const due = Math.min(((performance.now() - startedAt) / 1000) * PER_SECOND, seconds * PER_SECOND);
    for (; published < due; published++) publish();
    await delay(1);
  }
}
