import { isDeepStrictEqual } from 'node:util';
import type { Settings } from './schema';
import { readSlot } from './slot';

interface Stamped {
  readonly createdAt?: string | undefined;
  readonly updatedAt?: string | undefined;
}

/** `after` with the times at which each section was first and last changed. */
export function stamped(before: Settings | undefined, after: Settings, at: Date): Settings {
  const now = at.toISOString();
  const stamp = <T extends Stamped>(section: T | undefined, was: Stamped | undefined): T | undefined => {
    if (section === undefined) return undefined;
    // What was exported keeps its times.
    if (was === undefined) {
      const { createdAt = now, updatedAt = now } = section;
      return { ...section, createdAt, updatedAt };
    }
    const { createdAt = now, updatedAt = now } = was;
    const isSame = isDeepStrictEqual(bare(section), bare(was));
    return { ...section, createdAt, updatedAt: isSame ? updatedAt : now };
  };
  const { webhook, pusher, websocket, rabbitmq, sqs } = after;
  const sections = {
    webhook: stamp(webhook, before?.webhook),
    pusher: stamp(pusher, before?.pusher),
    websocket: stamp(websocket, before?.websocket),
    rabbitmq: stamp(rabbitmq, before?.rabbitmq),
    sqs: stamp(sqs, before?.sqs),
  };
  const webhooks = Object.fromEntries(
    Object.entries(after.webhooks).map(([name, each]) => [
      name,
      { ...each, ...stamp(each, readSlot(before, { section: 'webhooks', name })) },
    ]),
  );
  const present = Object.fromEntries(Object.entries(sections).filter(([, section]) => section !== undefined));
  return { ...after, ...present, webhooks };
}

function bare({ createdAt: _created, updatedAt: _updated, ...rest }: Stamped): object {
  return rest;
}

/** What a client gives, without times that it may have made up. */
export function withoutTimes(section: unknown): unknown {
  return typeof section === 'object' && section !== null && !Array.isArray(section) ? bare(section) : section;
}
