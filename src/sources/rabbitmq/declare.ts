import type { Options } from 'amqplib';
import { type ControlChannel, type RefusedError, refusalOf } from './control-channel';
import type { BoundQueue } from './topology';

/** As the core API declares them, so that either side may come first. */
const TOPIC = { durable: true, autoDelete: false };
const QUORUM: Options.AssertQueue = {
  durable: true,
  autoDelete: false,
  arguments: { 'x-queue-type': 'quorum' },
};
/** As evolution-go does: it fails where its queue has other arguments, although no broker makes use of this one. */
const GO_QUORUM: Options.AssertQueue = {
  ...QUORUM,
  arguments: { 'x-queue-type': 'quorum', 'x-ha-policy': 'all' },
};
/** RabbitMQ 4.0 drops what was redelivered 20 times unless the queue says otherwise. */
const UNLIMITED: Options.AssertQueue = {
  ...QUORUM,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': -1 },
};
/** The broker hands it to one of its consumers, and to another one when that is gone. */
const ONE_AT_A_TIME = { 'x-single-active-consumer': true };
const LIMITS_REDELIVERIES_FROM = 4;
/** Types of exchanges that do not match routing keys with patterns. */
const OTHER_TYPES = ['fanout', 'direct', 'headers'];

/** What the broker refuses, or makes impossible. */
export interface Obstacle {
  /** Such as `queue "x"`. */
  readonly what: string;
  readonly code: string;
  /** What is wrong and what helps. */
  readonly text: string;
}

/** What came of one thing that was asked for; only the loss of the connection is thrown. */
export type Ensured =
  | { readonly kind: 'ready'; readonly isNew: boolean }
  | { readonly kind: 'refused'; readonly obstacle: Obstacle };

export interface QueueKind {
  readonly owner: QueueOwner;
  /** For one consumer at a time. */
  readonly isOrdered?: boolean;
  readonly mayDeclare: boolean;
}

const READY: Ensured = { kind: 'ready', isNew: false };
const DECLARED: Ensured = { kind: 'ready', isNew: true };

/**
 * Uses the topic exchange as it is, or declares it. An exchange of another type is refused: it knows no patterns.
 *
 * @param isKnown its type was looked at before
 */
export async function ensureExchange(
  control: ControlChannel,
  name: string,
  isKnown: boolean,
): Promise<Ensured> {
  const what = `exchange ${JSON.stringify(name)}`;
  const missing = await refusalOf(control.ask((channel) => channel.checkExchange(name)));
  if (missing === undefined) {
    const type = isKnown ? undefined : await wrongType(control, name);
    return type === undefined ? READY : refused(what, ...mismatch(`it is a ${type} exchange`));
  }
  if (!missing.isMissing) return refusedBy(what, missing);
  const refusal = await refusalOf(control.ask((channel) => channel.assertExchange(name, 'topic', TOPIC)));
  return refusal === undefined ? DECLARED : refusedBy(what, refusal, 'it does not exist, and');
}

/** Which program declares a queue: the relay, the core API or evolution-go. */
export type QueueOwner = 'relay' | 'api' | 'go';

function optionsOf(owner: QueueOwner, control: ControlChannel): Options.AssertQueue {
  if (owner === 'go') return GO_QUORUM;
  return owner === 'relay' && limitsRedeliveries(control) ? UNLIMITED : QUORUM;
}

/** Uses the queue as it is, whatever its arguments, or declares it as a durable quorum queue. */
export async function ensureQueue(
  control: ControlChannel,
  name: string,
  { owner, isOrdered = false, mayDeclare }: QueueKind,
): Promise<Ensured> {
  const what = `queue ${JSON.stringify(name)}`;
  const missing = await refusalOf(control.ask((channel) => channel.checkQueue(name)));
  if (missing === undefined) return READY;
  if (!missing.isMissing || !mayDeclare) return refusedBy(what, missing);
  const plain = optionsOf(owner, control);
  const options = isOrdered ? { ...plain, arguments: { ...plain.arguments, ...ONE_AT_A_TIME } } : plain;
  const refusal = await refusalOf(control.ask((channel) => channel.assertQueue(name, options)));
  return refusal === undefined ? DECLARED : refusedBy(what, refusal, 'it does not exist, and');
}

/** Binds what is wanted, which does nothing where it is bound, and takes `unbind` away. */
export async function ensureBindings(
  control: ControlChannel,
  exchange: string,
  { queue, bind, unbind }: BoundQueue,
): Promise<Ensured> {
  const refusal = await refusalOf(
    control.ask(async (channel) => {
      for (const key of bind) await channel.bindQueue(queue, exchange, key);
      for (const key of unbind) await channel.unbindQueue(queue, exchange, key);
    }),
  );
  if (refusal === undefined) return READY;
  return refusedBy(
    `binding of queue ${JSON.stringify(queue)} to exchange ${JSON.stringify(exchange)}`,
    refusal,
  );
}

/**
 * Takes back what `ensureBindings` bound. Queues and exchange stay: they are the core API's. One that is not there any
 * more has no bindings either.
 */
export async function releaseBindings(
  control: ControlChannel,
  exchange: string,
  bound: readonly BoundQueue[],
): Promise<Ensured> {
  for (const { queue, bind } of bound) {
    const released = await ensureBindings(control, exchange, { queue, bind: [], unbind: bind });
    if (released.kind === 'refused' && released.obstacle.code !== 'AMQP_404') return released;
  }
  return READY;
}

/**
 * Whether our own queue may drop what was redelivered 20 times: it was made under RabbitMQ 3, and this is 4. Undefined
 * where the user may not ask. A policy that lifts the limit cannot be seen from here.
 */
export async function hasRedeliveryLimit(
  control: ControlChannel,
  queue: string,
): Promise<boolean | undefined> {
  if (!limitsRedeliveries(control)) return false;
  const refusal = await refusalOf(control.ask((channel) => channel.assertQueue(queue, UNLIMITED)));
  if (refusal === undefined) return false;
  return refusal.isMismatch ? true : undefined;
}

/** What helps against the limit; `queue` is the dedicated one. */
export function redeliveryLimitRemedy(queue: string): string {
  return (
    `queue ${JSON.stringify(queue)} was not made with x-delivery-limit -1, so RabbitMQ 4 drops a message that came back 20 times: ` +
    'set a policy for it with delivery-limit -1, or stop the workers, let it run empty and delete it: it is made anew'
  );
}

function limitsRedeliveries({ session }: ControlChannel): boolean {
  return session.version.major >= LIMITS_REDELIVERIES_FROM;
}

/** The type of an exchange that is none of topic type; undefined where it is one, or may be. */
async function wrongType(control: ControlChannel, name: string): Promise<string | undefined> {
  const differs = await refusalOf(control.ask((channel) => channel.assertExchange(name, 'topic', TOPIC)));
  // Other differences, such as an alternate exchange, do no harm.
  if (differs?.isMismatch !== true) return undefined;
  for (const type of OTHER_TYPES) {
    for (const durable of [true, false]) {
      const is = await refusalOf(
        control.ask((channel) => channel.assertExchange(name, type, { ...TOPIC, durable })),
      );
      if (is === undefined) return type;
    }
  }
  return undefined;
}

function mismatch(detail: string): [code: string, text: string] {
  return [
    'AMQP_406',
    `${detail}: it exists with other arguments: delete it, or name another one (RABBITMQ_QUEUE, RABBITMQ_EXCHANGE_NAME)`,
  ];
}

function refusedBy(what: string, refusal: RefusedError, detail = ''): Ensured {
  if (refusal.isMismatch) return refused(what, ...mismatch(refusal.message));
  const remedy = refusal.isForbidden
    ? 'the user in RABBITMQ_URI lacks a permission'
    : 'the broker refuses it';
  return refused(what, refusal.code, `${detail} ${remedy}: ${refusal.message}`.trimStart());
}

function refused(what: string, code: string, text: string): Ensured {
  return { kind: 'refused', obstacle: { what, code, text } };
}
