import { explainError } from '../../errors';
import { CATALOGUE } from '../../events/catalogue';
import type { Finding } from '../../observability/finding';
import { counted } from '../../plural';
import { displayAddress } from './broker-address';
import { ControlChannel, RefusedError, refusalOf } from './control-channel';
import { hasRedeliveryLimit, redeliveryLimitRemedy } from './declare';
import { coreByName, type ListedQueue } from './listed-queues';
import { nameFlaw } from './name-flaws';
import { inspectPermissions } from './permission-findings';
import { DEFAULT_QUEUE } from './rabbitmq-variables';
import { connector, Session } from './session';
import { type ConsumedExchange, planOf, shown, type TopologyOptions } from './topology';

export interface InspectOptions {
  readonly uri: string;
  readonly frameMax: number;
  readonly exchanges: readonly ConsumedExchange[];
  /** Queues that are consumed as they are. */
  readonly queues?: readonly ListedQueue[];
  readonly topology: TopologyOptions;
}

const PART = 'rabbitmq';
/** Names asked for: each that is not there costs a channel. */
const MAX_NAMES = 1000;
const AT_ONCE = 8;
/** Of a queue that nobody reads: more than a policy would leave in it. */
const MAX_UNREAD = 10_000;
/** The core API declares a queue again that is deleted. */
const BOUND_IT =
  "RABBITMQ_CONSUME=shared consumes it; or a policy keeps it short: rabbitmqctl set_policy unread '^(?!evolution-relay$)' '{\"max-length\": 1000}' --apply-to queues";
const TOPIC = { durable: true, autoDelete: false };

type State =
  | { readonly kind: 'ready'; readonly messages: number; readonly consumers: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly refusal: RefusedError };

/** Looks at the broker without changing anything: reachable, names and arguments that go, queues that nobody reads. */
export async function inspectRabbitMq(options: InspectOptions): Promise<Finding[]> {
  let session: Session;
  try {
    session = await Session.open(connector(options.uri, options.frameMax));
  } catch (error) {
    return [unreachable(options.uri, error)];
  }
  const findings: Finding[] = [reachable(session, options)];
  try {
    const { exchanges, topology } = options;
    const control = new ControlChannel(session);
    for (const exchange of exchanges) findings.push(...flawsOf(exchange, topology));
    for (const exchange of exchanges.slice(0, MAX_NAMES)) {
      if (planOf(exchange, topology).flaw === undefined)
        findings.push(await inspectExchange(control, exchange.name));
    }
    findings.push(...(await inspectQueues(control, options)));
    findings.push(...(await inspectListed(control, options.queues ?? [])));
    findings.push(...(await inspectPermissions(control, options)));
    findings.push(...(await inspectFormer(control, options)));
    findings.push(...(await inspectOrphans(session, options)));
  } catch (error) {
    findings.push(
      trouble('connection', `${displayAddress(options.uri)}: the broker ended it: ${explainError(error)}`),
    );
  } finally {
    await session.close();
  }
  return findings;
}

function unreachable(uri: string, error: unknown): Finding {
  return trouble(
    'connection',
    `${displayAddress(uri)}: ${explainError(error)}; check address, user, password and virtual host in RABBITMQ_URI`,
  );
}

function reachable({ version }: Session, { uri, frameMax, topology }: InspectOptions): Finding {
  const { major, minor, text } = version;
  const detail = `${displayAddress(uri)}, RabbitMQ ${text}`;
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

/** Names that AMQP cannot take, of which the worker leaves out what they are the name of. */
function flawsOf(exchange: ConsumedExchange, topology: TopologyOptions): Finding[] {
  const { flaw, flawed } = planOf(exchange, topology);
  const whose = exchange.instance === undefined ? '' : ` (instance ${shown(exchange.instance)})`;
  return [...(flaw === undefined ? [] : [flaw]), ...flawed].map(({ what, text }) =>
    trouble(what, `${text}: it is left out${whose}`),
  );
}

async function inspectExchange(control: ControlChannel, name: string): Promise<Finding> {
  const check = `exchange ${name}`;
  const missing = await refusalOf(control.ask((channel) => channel.checkExchange(name)));
  if (missing?.isMissing === true) return note(check, 'not there yet: worker or core API will declare it');
  if (missing !== undefined) return trouble(check, refusalText(missing));
  // It exists, so that this only compares.
  const differs = await refusalOf(control.ask((channel) => channel.assertExchange(name, 'topic', TOPIC)));
  if (differs === undefined) {
    return ok(check, 'topic, durable; a running worker looks at its bindings once a minute');
  }
  if (differs.isForbidden)
    return note(check, 'there; the user in RABBITMQ_URI may not configure it, which is not needed');
  return trouble(check, refusalText(differs));
}

async function inspectQueues(
  control: ControlChannel,
  { exchanges, topology }: InspectOptions,
): Promise<Finding[]> {
  const names = new Set(
    exchanges.flatMap((exchange) => planOf(exchange, topology).bound.map(({ queue }) => queue)),
  );
  const findings: Finding[] = [];
  for (const name of [...names].slice(0, MAX_NAMES)) {
    const state = await queueState(control, name);
    const isOurs = name === topology.queue;
    findings.push(...queueFindings(name, state, isOurs).map(told(speakersOf(name, exchanges, topology))));
    if (state.kind !== 'ready' || !isOurs) continue;
    findings.push(...(await inspectOwnQueue(control, name)));
  }
  return findings;
}

/** Whose events come by a queue that is bound to exchanges. */
function speakersOf(
  queue: string,
  exchanges: readonly ConsumedExchange[],
  topology: TopologyOptions,
): string {
  const bound = exchanges.filter((exchange) =>
    planOf(exchange, topology).bound.some((each) => each.queue === queue),
  );
  const further = bound.filter(({ isFurther }) => isFurther === true).map(({ name }) => name);
  const speakers = [
    ...(bound.length > further.length ? ['events of the core API'] : []),
    ...(further.length > 0 ? [`of either core by ${further.slice(0, MAX_TOLD).join(', ')}`] : []),
  ];
  return speakers.join(', ');
}

/** Further exchanges that a finding names. */
const MAX_TOLD = 10;

/** Adds whose events come by a queue. */
function told(speakers: string): (finding: Finding) => Finding {
  return (finding) => ({ ...finding, detail: `${finding.detail}; ${speakers}` });
}

/** Queues of RABBITMQ_QUEUES, and evolution-go's own. */
async function inspectListed(control: ControlChannel, queues: readonly ListedQueue[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { name, isGo } of queues.slice(0, MAX_NAMES)) {
    const flaw = nameFlaw(name);
    if (flaw !== undefined) findings.push(trouble(`queue ${shown(name)}`, `${flaw.text}: it is left out`));
    else findings.push(listedFinding(name, isGo, await queueState(control, name)));
  }
  return findings;
}

function listedFinding(name: string, isGo: boolean, state: State): Finding {
  const check = `queue ${name}`;
  if (state.kind === 'refused') return trouble(check, refusalText(state.refusal));
  const speaker = isGo ? 'events of evolution-go' : coreByName(name);
  if (state.kind === 'missing') {
    return isGo
      ? note(check, `not there yet: worker or evolution-go will declare it; ${speaker}`)
      : trouble(check, 'does not exist: RABBITMQ_QUEUES names queues that are there already');
  }
  const { messages, consumers } = state;
  if (consumers === 0 && messages > 0)
    return trouble(check, `${counted(messages, 'message')} and no consumer: start a worker; ${speaker}`);
  return ok(
    check,
    `${counted(messages, 'message')}, ${counted(consumers, 'consumer')}; consumed as it is; ${speaker}`,
  );
}

function queueFindings(name: string, state: State, isOurs: boolean): Finding[] {
  const check = `queue ${name}`;
  if (state.kind === 'refused') return [trouble(check, refusalText(state.refusal))];
  if (state.kind === 'missing')
    return isOurs ? [note(check, 'not there yet: the worker will declare it')] : [];
  const { messages, consumers } = state;
  if (consumers === 0 && messages > 0)
    return [trouble(check, `${counted(messages, 'message')} and no consumer: start a worker`)];
  if (consumers === 0 && isOurs)
    return [note(check, 'no consumer: its bindings are only looked at while a worker runs')];
  return [ok(check, `${counted(messages, 'message')}, ${counted(consumers, 'consumer')}`)];
}

/** What a worker would not say each time, as it works all the same. */
async function inspectOwnQueue(control: ControlChannel, name: string): Promise<Finding[]> {
  const check = `arguments of queue ${name}`;
  const isLimited = await hasRedeliveryLimit(control, name);
  if (isLimited === true) return [note(check, redeliveryLimitRemedy(name))];
  if (control.session.version.major >= 4) return [];
  const differs = await refusalOf(
    control.ask((channel) =>
      channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } }),
    ),
  );
  if (differs?.isMismatch !== true) return [];
  return [note(check, 'is no durable quorum queue of the relay: it is consumed as it is')];
}

/** The relay's own queue before it was given another name, or shared ones were chosen: its bindings go on filling it. */
async function inspectFormer(
  control: ControlChannel,
  { topology, queues = [] }: InspectOptions,
): Promise<Finding[]> {
  const isInUse = topology.mode === 'dedicated' && topology.queue === DEFAULT_QUEUE;
  if (isInUse || queues.some(({ name }) => name === DEFAULT_QUEUE)) return [];
  const state = await queueState(control, DEFAULT_QUEUE);
  if (state.kind !== 'ready' || state.consumers > 0) return [];
  const remedy = 'RABBITMQ_QUEUES=evolution-relay reads it; delete it once it is empty';
  const detail = `the queue of a relay without RABBITMQ_QUEUE, and nobody reads it, while what it is bound to fills it: ${remedy}`;
  const check = `queue ${DEFAULT_QUEUE}`;
  return [
    state.messages === 0
      ? note(check, detail)
      : trouble(check, `${counted(state.messages, 'message')} in ${detail}`),
  ];
}

/** Queues that the core API declares by itself and nobody reads: they grow without end. */
async function inspectOrphans(session: Session, { exchanges, topology }: InspectOptions): Promise<Finding[]> {
  if (topology.mode === 'shared') return [];
  const instances = exchanges.flatMap(({ instance }) => instance ?? []);
  const names = [
    ...coreQueues('').map((event) => (topology.prefixKey === '' ? event : `${topology.prefixKey}.${event}`)),
    // What the core API makes of a RABBITMQ_PREFIX_KEY that is not set.
    ...coreQueues('undefined.'),
    ...instances.flatMap((instance) => coreQueues(`${instance}.`)),
  ];
  const asked = names.filter((name) => nameFlaw(name) === undefined).slice(0, MAX_NAMES);
  const findings = new Map<string, Finding[]>();
  const left = asked.values();
  const workers = Array.from({ length: AT_ONCE }, async () => {
    const control = new ControlChannel(session);
    for (const name of left) findings.set(name, orphanFindings(name, await queueState(control, name)));
    control.close();
  });
  await Promise.all(workers);
  return asked.flatMap((name) => findings.get(name) ?? []);
}

function orphanFindings(name: string, state: State): Finding[] {
  if (state.kind !== 'ready' || state.consumers > 0) return [];
  const check = `queue ${name}`;
  if (state.messages === 0) return [note(check, 'declared by the core API, and nobody reads it')];
  const unread = `${counted(state.messages, 'message')} that nobody reads, as the relay has a queue of its own`;
  // What a policy keeps short does no harm; the broker does not tell over AMQP whether there is one.
  if (state.messages <= MAX_UNREAD) return [note(check, `${unread}: ${BOUND_IT}`)];
  return [trouble(check, `${unread}, and it grows until the disk is full: ${BOUND_IT}`)];
}

function coreQueues(prefix: string): string[] {
  return CATALOGUE.map(({ event }) => `${prefix}${event}`);
}

async function queueState(control: ControlChannel, name: string): Promise<State> {
  try {
    const { messageCount, consumerCount } = await control.ask((channel) => channel.checkQueue(name));
    return { kind: 'ready', messages: messageCount, consumers: consumerCount };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error.isMissing ? { kind: 'missing' } : { kind: 'refused', refusal: error };
  }
}

function refusalText(refusal: RefusedError): string {
  return refusal.isMismatch
    ? `exists with other arguments: delete it, or name another one (RABBITMQ_QUEUE, RABBITMQ_EXCHANGE_NAME). ${refusal.message}`
    : `refused: check the permissions of the user in RABBITMQ_URI. ${refusal.message}`;
}

const ok = (check: string, detail: string): Finding => ({ part: PART, check, state: 'ok', detail });
const note = (check: string, detail: string): Finding => ({ part: PART, check, state: 'note', detail });
const trouble = (check: string, detail: string): Finding => ({ part: PART, check, state: 'trouble', detail });
