import { CORE_KEY, CoreApiServer } from '../servers/core-api';
import { eventually } from '../signals/signals';
import { Scenario } from './scenario';

const INSTANCES = ['loja', 'norte', 'sul', 'vendas'];

/** A core API with instances whose webhooks lead to the scenario's receiver, and a worker beside it. */
export class MovingScenario {
  private emitted = 0;
  private isEmitting = false;
  private emitting: Promise<void> | undefined;
  /** What the core sends by itself. */
  private readonly posts = new Set<Promise<unknown>>();

  private constructor(
    readonly scenario: Scenario,
    readonly core: CoreApiServer,
  ) {}

  static async start(): Promise<MovingScenario> {
    const scenario = await Scenario.start({
      env: {
        WEBHOOK_GLOBAL_ENABLED: 'false',
        WEBHOOK_GLOBAL_URL: '',
        WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
        AUTHENTICATION_API_KEY: CORE_KEY,
      },
    });
    const core = await CoreApiServer.start();
    const moving = new MovingScenario(scenario, core);
    core.outputs = {
      webhook: (url, body) => moving.post(url, body),
      publish: (event, body) =>
        scenario.broker.publish([
          { key: '', routingKey: event, body: () => Buffer.from(JSON.stringify(body)) },
        ]),
    };
    for (const name of INSTANCES)
      core.add(name, { webhook: { url: scenario.receiver.url, events: ['MESSAGES_UPSERT'] } });
    await scenario.startWorker();
    return moving;
  }

  /** Events of all instances in turn, one after the other. */
  begin(): void {
    this.isEmitting = true;
    this.emitting ??= this.emitAll();
  }

  /** Resolves when nothing is emitted any more. */
  async pause(): Promise<void> {
    this.isEmitting = false;
    await this.emitting;
    this.emitting = undefined;
  }

  /** Another hundred are emitted from here on; resolves to the first of them. */
  async more(): Promise<number> {
    const before = this.emitted;
    await eventually(() => (this.emitted >= before + 100 ? true : undefined), 'a hundred events more');
    return before;
  }

  /** A command of the guide, with the address of this core. */
  async run(command: string): Promise<string> {
    const args = command.replace('http://localhost:8080', this.core.url).split(/\s+/);
    const { code, stdout, stderr } = await this.scenario.command(...args);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${stdout}${stderr}`);
    return stdout;
  }

  /** Once everything that was emitted has arrived: what is missing, and numbers of events that arrived more than once. */
  async result(): Promise<{ readonly lost: readonly string[]; readonly doubled: readonly number[] }> {
    await this.pause();
    await Promise.all(this.posts);
    await this.scenario.untilAllAccepted();
    const { receiver, published } = this.scenario;
    const doubled = published.flatMap((key, number) =>
      (receiver.tallies.get(key)?.accepted ?? 0) > 1 ? [number] : [],
    );
    return { lost: receiver.missing(published), doubled };
  }

  async close(): Promise<void> {
    await this.pause();
    await this.core.stop();
    await this.scenario.close();
  }

  private async emitAll(): Promise<void> {
    while (this.isEmitting) {
      const number = this.emitted++;
      const id = `${this.scenario.name}-${number}`;
      this.scenario.published.push(id);
      const instance = INSTANCES[number % INSTANCES.length] ?? '';
      await this.core.emit(instance, 'messages.upsert', { key: { id }, message: { conversation: 'oi' } });
    }
  }

  private post(url: string, body: object): void {
    const headers = { 'content-type': 'application/json' };
    const sent = fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).then((response) =>
      response.arrayBuffer(),
    );
    this.posts.add(sent);
    void sent.finally(() => this.posts.delete(sent));
  }
}
