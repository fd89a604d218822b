import type { OutgoingEvent } from '../clients/publisher';
import { type AuditLine, Scenario } from '../harness/scenario';
import { freePort } from '../processes/ports';
import type { Environment } from '../processes/relay';
import { CREDENTIALS } from './destination';
import { type PusherApp, parseObject } from './rules';
import { PusherServer } from './server';

export const PUSHER = 'pusher:global';

/** Workers that send everything to one app at the test server, and nothing to webhooks. */
export class PusherScenario {
  /** How often each event was taken, by its key. */
  readonly taken = new Map<string, number>();

  private constructor(
    readonly scenario: Scenario,
    readonly server: PusherServer,
    readonly app: PusherApp,
  ) {}

  static async start(env: Environment = {}): Promise<PusherScenario> {
    const app: PusherApp = { id: CREDENTIALS.appId, key: CREDENTIALS.key, secret: CREDENTIALS.secret };
    const port = await freePort();
    const server = await PusherServer.start([app], port);
    const scenario = await Scenario.start({
      env: {
        WEBHOOK_GLOBAL_ENABLED: 'false',
        PUSHER_GLOBAL_APP_ID: app.id,
        PUSHER_GLOBAL_KEY: app.key,
        PUSHER_GLOBAL_SECRET: app.secret,
        PUSHER_GLOBAL_HOST: '127.0.0.1',
        PUSHER_GLOBAL_PORT: String(port),
        PUSHER_GLOBAL_USE_TLS: 'false',
        ...env,
      },
    });
    const harness = new PusherScenario(scenario, server, app);
    server.onPublished(({ data }) => {
      const key = keyOf(data);
      if (key !== undefined) harness.taken.set(key, (harness.taken.get(key) ?? 0) + 1);
    });
    return harness;
  }

  /** Pusher has taken `count` different events. */
  untilTaken(count: number, timeoutMs = 60_000): Promise<void> {
    return this.server.until(
      () => this.taken.size >= count,
      timeoutMs,
      () => `${this.taken.size} of ${count} events`,
    );
  }

  missing(keys: readonly string[]): string[] {
    return keys.filter((key) => !this.taken.has(key));
  }

  /**
   * What every fault must leave behind: everything taken that Pusher would have accepted, the audit balanced with
   * nothing parked, as many dead letters as events that it never would take, workers that drain, an empty queue.
   */
  async conclude(fault: string, acceptable = this.scenario.published, refused = 0): Promise<AuditLine> {
    const { scenario } = this;
    const isSettled = ({ parked, delivered, dead }: AuditLine): boolean =>
      parked === 0 && delivered > 0 && dead === refused;
    await this.untilTaken(acceptable.length).catch(() => {});
    // What a killed worker had under way is due some twenty seconds later, and two may have been killed.
    await scenario.untilAudited(isSettled, PUSHER, 120_000);
    // A drain counts what was delivered last.
    await scenario.stopWorkers();
    const audit = await scenario.audit(PUSHER);
    const lost = this.missing(acceptable).length;
    const duplicated = [...this.taken.values()].filter((count) => count > 1).length;
    process.stdout.write(
      `fault pusher ${fault}: published ${scenario.published.length}, lost ${lost}, duplicated ${duplicated}, dead ${audit.dead}\n`,
    );
    expect({ lost, left: await scenario.queueLength() }).toEqual({ lost: 0, left: 0 });
    return audit;
  }

  async close(): Promise<void> {
    await this.scenario.close();
    await this.server.stop();
  }
}

/** An event that the plan of the app does not take although it is configured to. */
export function withPoison(events: readonly OutgoingEvent[], every: number, bytes: number): OutgoingEvent[] {
  return events.map((event, index) =>
    index % every === every - 1 ? { ...event, body: () => enlarged(event.body(), bytes) } : event,
  );
}

function enlarged(body: Buffer, bytes: number): Buffer {
  const event = JSON.parse(body.toString('utf8')) as { data: { message: { conversation: string } } };
  event.data.message.conversation = 'x'.repeat(bytes);
  return Buffer.from(JSON.stringify(event));
}

function keyOf(data: string): string | undefined {
  const event = parseObject(data) as { data?: { key?: { id?: string } } } | undefined;
  return event?.data?.key?.id;
}
