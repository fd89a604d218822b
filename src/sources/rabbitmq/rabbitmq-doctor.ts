import { type Channel, type ChannelModel, connect } from 'amqplib';
import { explainError } from '../../errors';
import { CATALOGUE } from '../../events/catalogue';
import type { Finding } from '../../observability/finding';
import { connectOptions, displayAddress } from './broker-address';
import { closeChannel } from './close-channel';
import { boundQueues, type ConsumedExchange, type TopologyOptions } from './topology';

export interface InspectOptions {
  readonly uri: string;
  readonly frameMax: number;
  readonly exchanges: readonly ConsumedExchange[];
  readonly topology: TopologyOptions;
}

const PART = 'rabbitmq';
const CONNECT_MS = 10_000;
/** Names looked at: each that is not there costs a channel. */
const MAX_LOOKS = 1000;
const AT_ONCE = 25;
const NOT_FOUND = 404;
const PRECONDITION_FAILED = 406;

type State =
  | { readonly kind: 'ready'; readonly messages: number; readonly consumers: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly code: number | undefined; readonly text: string };

/** Looks at the broker without changing anything: reachable, arguments compatible, queues that nobody reads. */
export async function inspectRabbitMq(options: InspectOptions): Promise<Finding[]> {
  let model: ChannelModel;
  try {
    model = await connect(connectOptions(options.uri, options.frameMax), { timeout: CONNECT_MS });
  } catch (error) {
    return [unreachable(options.uri, error)];
  }
  // What breaks shows in the call that is waited for.
  model.on('error', () => {});
  try {
    return [
      reachable(model, options),
      ...(await inspectExchanges(model, options.exchanges)),
      ...(await inspectQueues(model, options)),
      ...(await inspectOrphans(model, options)),
    ];
  } finally {
    await model.close().catch(() => {});
  }
}

function unreachable(uri: string, error: unknown): Finding {
  return trouble(
    'connection',
    `${displayAddress(uri)}: ${explainError(error)}; check address, user, password and virtual host in RABBITMQ_URI`,
  );
}

function reachable(model: ChannelModel, { uri, frameMax, topology }: InspectOptions): Finding {
  const version = String(model.connection.serverProperties.version);
  const detail = `${displayAddress(uri)}, RabbitMQ ${version}`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if ((major > 4 || (major === 4 && minor >= 1)) && frameMax < 8192) {
    return trouble('connection', `${detail}: RABBITMQ_FRAME_MAX must be 8192 or more`);
  }
  if (major >= 4 && topology.mode === 'shared') {
    return note(
      'connection',
      `${detail}: shared queues drop a message that came back 20 times; a policy with delivery-limit -1 prevents that`,
    );
  }
  return ok('connection', detail);
}

async function inspectExchanges(
  model: ChannelModel,
  exchanges: readonly ConsumedExchange[],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name } of exchanges.slice(0, MAX_LOOKS)) {
    const check = `exchange ${name}`;
    const state = await look(model, async (channel) => {
      await channel.checkExchange(name);
      // It exists, so that this only compares.
      await channel.assertExchange(name, 'topic', { durable: true, autoDelete: false });
    });
    if (state.kind === 'missing')
      findings.push(note(check, 'not there yet: worker or core API will declare it'));
    else if (state.kind === 'refused') findings.push(trouble(check, refusalOf(state)));
    else findings.push(ok(check, 'topic, durable'));
  }
  return findings;
}

async function inspectQueues(
  model: ChannelModel,
  { exchanges, topology }: InspectOptions,
): Promise<Finding[]> {
  const names = new Set(
    exchanges.flatMap((exchange) => boundQueues(exchange, topology).map(({ queue }) => queue)),
  );
  const findings: Finding[] = [];
  for (const name of [...names].slice(0, MAX_LOOKS)) {
    const check = `queue ${name}`;
    const state = await queueState(model, name, topology);
    if (state.kind === 'refused') findings.push(trouble(check, refusalOf(state)));
    else if (state.kind === 'missing') {
      if (topology.mode === 'dedicated')
        findings.push(note(check, 'not there yet: the worker will declare it'));
    } else if (state.consumers === 0 && state.messages > 0) {
      findings.push(trouble(check, `${state.messages} messages and no consumer: start a worker`));
    } else findings.push(ok(check, `${state.messages} messages, ${state.consumers} consumers`));
  }
  return findings;
}

/** Queues that the core API declares by itself and nobody reads: they grow without end (contract A5). */
async function inspectOrphans(
  model: ChannelModel,
  { exchanges, topology }: InspectOptions,
): Promise<Finding[]> {
  if (topology.mode === 'shared') return [];
  const instances = exchanges.flatMap(({ instance }) => instance ?? []);
  const names = [
    ...coreQueues('').map((event) => (topology.prefixKey === '' ? event : `${topology.prefixKey}.${event}`)),
    // What the core API makes of a RABBITMQ_PREFIX_KEY that is not set (contract A10 no. 4).
    ...coreQueues('undefined.'),
    ...instances.flatMap((instance) => coreQueues(`${instance}.`)),
  ];
  const findings: Finding[] = [];
  for (let start = 0; start < Math.min(names.length, MAX_LOOKS); start += AT_ONCE) {
    const some = names.slice(start, Math.min(start + AT_ONCE, MAX_LOOKS));
    findings.push(...(await Promise.all(some.map((name) => inspectOrphan(model, name)))).flat());
  }
  return findings;
}

async function inspectOrphan(model: ChannelModel, name: string): Promise<Finding[]> {
  const state = await queueState(model, name, undefined);
  if (state.kind !== 'ready' || state.consumers > 0) return [];
  const check = `queue ${name}`;
  if (state.messages === 0) return [note(check, 'declared by the core API, and nobody reads it')];
  return [
    trouble(
      check,
      `${state.messages} messages that nobody reads: consume them with RABBITMQ_CONSUME=shared, or delete the queue and set RABBITMQ_EVENTS_… in the core API`,
    ),
  ];
}

function coreQueues(prefix: string): string[] {
  return CATALOGUE.map(({ event }) => `${prefix}${event}`);
}

async function queueState(
  model: ChannelModel,
  name: string,
  expected: TopologyOptions | undefined,
): Promise<State> {
  let counts = { messageCount: 0, consumerCount: 0 };
  const state = await look(model, async (channel) => {
    counts = await channel.checkQueue(name);
    if (expected === undefined) return;
    await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  });
  if (state.kind !== 'ready' && !(await isUnlimitedDedicated(model, name, state, expected))) return state;
  return { kind: 'ready', messages: counts.messageCount, consumers: counts.consumerCount };
}

/** Under RabbitMQ 4 our own queue is declared with one argument more (declare.ts). */
async function isUnlimitedDedicated(
  model: ChannelModel,
  name: string,
  state: State,
  expected: TopologyOptions | undefined,
): Promise<boolean> {
  if (state.kind !== 'refused' || state.code !== PRECONDITION_FAILED || expected?.mode !== 'dedicated') {
    return false;
  }
  const again = await look(model, (channel) =>
    channel.assertQueue(name, {
      durable: true,
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': -1 },
    }),
  );
  return again.kind === 'ready';
}

/** A refusal closes the channel, so each look has one of its own. */
async function look(model: ChannelModel, work: (channel: Channel) => Promise<unknown>): Promise<State> {
  const channel = await model.createChannel();
  channel.on('error', () => {});
  try {
    await work(channel);
    await closeChannel(channel);
    return { kind: 'ready', messages: 0, consumers: 0 };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? Number(error.code) : undefined;
    if (code === NOT_FOUND) return { kind: 'missing' };
    return { kind: 'refused', code, text: error instanceof Error ? error.message : String(error) };
  }
}

function refusalOf({ code, text }: Extract<State, { kind: 'refused' }>): string {
  return code === PRECONDITION_FAILED
    ? `exists with other arguments: delete it, or name another one (RABBITMQ_QUEUE, RABBITMQ_EXCHANGE_NAME). ${text}`
    : `refused: check the permissions of the user in RABBITMQ_URI. ${text}`;
}

const ok = (check: string, detail: string): Finding => ({ part: PART, check, state: 'ok', detail });
const note = (check: string, detail: string): Finding => ({ part: PART, check, state: 'note', detail });
const trouble = (check: string, detail: string): Finding => ({ part: PART, check, state: 'trouble', detail });
