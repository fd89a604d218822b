import type { Channel } from 'amqplib';
import type { Finding } from '../../observability/finding';
import { userOf } from './broker-address';
import { type ControlChannel, type RefusedError, refusalOf } from './control-channel';
import { nameFlaw } from './name-flaws';
import type { InspectOptions } from './rabbitmq-doctor';
import { planOf } from './topology';

/** Names asked for: each answer is a refusal, which costs the broker a channel and a line in its log. */
const MAX_NAMES = 50;
/** Of a type that this argument must not have: the broker looks at permissions, then at arguments, and does nothing. */
const IMPOSSIBLE = { consume: { 'x-priority': 'none' }, declare: { 'x-message-ttl': 'none' } };
/** Nobody binds by it, so that taking it away changes nothing. */
const UNUSED_KEY = 'evolution-relay.doctor';

/** A right of RabbitMQ: patterns of names, in the order in which `set_permissions` takes them. */
type Right = 'configure' | 'write' | 'read';

/**
 * What the user in RABBITMQ_URI may not do. Passive questions are answered to anybody, so each of these asks for what needs the
 * right and cannot be done.
 */
export async function inspectPermissions(
  control: ControlChannel,
  options: InspectOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of consumedQueues(options)) findings.push(...(await queueFindings(control, name, options)));
  findings.push(...(await bindingFindings(control, options)));
  return findings;
}

/** Those whose names AMQP takes. */
function consumedQueues({ exchanges, topology, queues = [] }: InspectOptions): string[] {
  const bound = exchanges.flatMap((exchange) => planOf(exchange, topology).bound.map(({ queue }) => queue));
  const listed = queues.map(({ name }) => name).filter((name) => nameFlaw(name) === undefined);
  return [...new Set([...listed, ...bound])].slice(0, MAX_NAMES);
}

async function queueFindings(
  control: ControlChannel,
  name: string,
  { uri, topology }: InspectOptions,
): Promise<Finding[]> {
  const refusal = await refusalOf(control.ask((channel) => consumeNothing(channel, name)));
  if (refusal?.isForbidden === true) {
    const lack = lacks(uri, { rights: ['read'], names: [name], refusal });
    return [{ ...about(`permissions of queue ${name}`), detail: `nothing of it is consumed: ${lack}` }];
  }
  // What the core API declares is not missed before it has.
  if (refusal?.isMissing !== true || name !== topology.queue) return [];
  const undeclared = await refusalOf(control.ask((channel) => declareNothing(channel, name)));
  if (undeclared?.isForbidden !== true) return [];
  const lack = lacks(uri, { rights: ['configure'], names: [name], refusal: undeclared });
  return [
    {
      ...about(`permissions of queue ${name}`),
      detail: `it is not there, and the worker cannot declare it: ${lack}; or declare it by hand, as a durable quorum queue`,
    },
  ];
}

/** The relay's own queue gets nothing from an exchange that it is not bound to; those of the core API are bound by it. */
async function bindingFindings(
  control: ControlChannel,
  { uri, exchanges, topology }: InspectOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const exchange of exchanges.slice(0, MAX_NAMES)) {
    const isOwn = planOf(exchange, topology).bound.some(({ queue }) => queue === topology.queue);
    if (!isOwn) continue;
    const { name } = exchange;
    const refusal = await refusalOf(
      control.ask((channel) => channel.unbindQueue(topology.queue, name, UNUSED_KEY)),
    );
    if (refusal?.isForbidden !== true) continue;
    const rights: readonly Right[] = ['write', 'read'];
    const lack = lacks(uri, { rights, names: [topology.queue, name], refusal });
    findings.push({
      ...about(`permissions of exchange ${name}`),
      detail: `queue ${topology.queue} cannot be bound to it, so it gets only what it is bound to already: ${lack}`,
    });
  }
  return findings;
}

async function consumeNothing(channel: Channel, queue: string): Promise<void> {
  await channel.consume(queue, () => {}, { arguments: IMPOSSIBLE.consume });
  // A broker that takes any argument: what it delivered goes back with the channel.
  await channel.close();
}

async function declareNothing(channel: Channel, queue: string): Promise<void> {
  await channel.assertQueue(queue, { durable: true, arguments: IMPOSSIBLE.declare });
  // A broker that takes any argument: it was made here, and nothing is bound to it.
  await channel.deleteQueue(queue, { ifUnused: true, ifEmpty: true });
}

interface Lack {
  readonly rights: readonly Right[];
  readonly names: readonly string[];
  readonly refusal: RefusedError;
}

/** Which right it is and how it is given. */
function lacks(uri: string, { rights, names, refusal }: Lack): string {
  const { user, vhost } = userOf(uri);
  const needs = rights.map((right, index) => `${right} for ${names[index] ?? ''}`).join(' and ');
  const command = `rabbitmqctl set_permissions -p '${vhost}' '${user}' '.*' '.*' '.*'`;
  return `the user ${user} needs the permission ${needs} (${refusal.message}): ${command} gives all, or set patterns for configure, write and read that match these names`;
}

const about = (check: string) => ({ part: 'rabbitmq', check, state: 'trouble' }) as const;
