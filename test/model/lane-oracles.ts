import { type DeliveryId, destinationKey } from '../../src/pipeline/delivery';
import { BrokenPromiseError } from './broken-promise';
import { LIMITS, STALLED_MS } from './limits';
import { CHATS, type Chat, type Receiver } from './receivers';
import type { World } from './world';

/** A look for what is too old, and the time that a step takes. */
const UPKEEP_MS = 6000;
/** Longest time that events of a chat that is well may take while nothing is wrong with any peer, nor with their receiver. */
const FINE_WITHIN_MS = STALLED_MS + 10_000;

/** What holds at every step of the instance whose events keep their order. */
export function checkLanes(world: World): void {
  const receiver = world.receiverOf(world.ownId('orderly'));
  for (const chat of CHATS) checkOrder(world, receiver, chat);
  if (!world.isCalm) return;
  checkFine(world, receiver);
  checkHeads(world);
}

export function checkLanesAreEmpty(world: World): void {
  const { size } = world.redis.state.lanes;
  if (size > 0) throw new BrokenPromiseError(world, `${size} lanes hold something at the end`);
}

/** Deliveries of a chat in the order in which their events were published. */
function laneOf(world: World, chat: Chat): DeliveryId[] {
  return world.published.flatMap(({ chat: own, due, mayBeLost, instance }) =>
    own === chat && !mayBeLost ? due.filter((id) => world.isOwn(id, instance)) : [],
  );
}

/** What was a dead letter once is in no lane any more: it may come at any time. */
function checkOrder(world: World, { confirmed }: Receiver, chat: Chat): void {
  const { everDead } = world.redis.state;
  const lane = laneOf(world, chat);
  const places = new Map(lane.map((id, place) => [id, place]));
  let last = -1;
  for (const id of confirmed.keys()) {
    const place = places.get(id);
    if (place === undefined || everDead.has(id)) continue;
    if (place < last) throw new BrokenPromiseError(world, `${id} of ${chat} arrived after ${lane[last]}`);
    last = place;
  }
}

/** A lane whose first delivery fails holds up no other one. */
function checkFine(world: World, { id, confirmed, sickAt }: Receiver): void {
  const { records, endedAt } = world.redis.state.health;
  const key = destinationKey(id);
  if (records.has(key)) return;
  const wellSince = Math.max(sickAt, endedAt.get(key) ?? 0, world.calmSince);
  for (const { chat, at, due, mayBeLost, instance } of world.published) {
    if (chat !== 'fine' || mayBeLost) continue;
    const own = due.find((id) => world.isOwn(id, instance));
    if (own === undefined || confirmed.has(own) || world.redis.state.everDead.has(own)) continue;
    if (world.time.now - Math.max(at, wellSince) >= FINE_WITHIN_MS)
      throw new BrokenPromiseError(world, `others' faults keep back ${own} of a lane that is well`);
  }
}

/** The first delivery of a lane holds it up for so long at the most. */
function checkHeads(world: World): void {
  const longest = LIMITS.orderedMaxAgeMs + STALLED_MS + UPKEEP_MS;
  for (const { first, since } of world.redis.state.lanes.oldest(world.time.now))
    if (world.time.now - Math.max(since, world.calmSince) > longest)
      throw new BrokenPromiseError(world, `${first} holds up its lane for too long`);
}
