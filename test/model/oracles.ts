import type { DeliveryId } from '../../src/pipeline/delivery';
import { BrokenPromiseError } from './broken-promise';
import { checkLanes, checkLanesAreEmpty } from './lane-oracles';
import type { World } from './world';

/** Longest time that events of an instance that is well may take while nothing is wrong with any peer. */
const WELL_WITHIN_MS = 10_000;
/** Longest time, with everything well again, until nothing is parked or held any more. */
const QUIET_WITHIN_MS = 240_000;
/** The ledger writes down what it counted within this. */
const COUNTED_WITHIN_MS = 2500;

/** What holds at every step, whatever happened. */
export function checkStep(world: World): void {
  const { difference } = world.redis.state;
  if (difference !== 0) throw new BrokenPromiseError(world, `the audit differs by ${difference}`);
  for (const { gauge, places } of world.livingWorkers) {
    if (gauge.excess !== undefined) throw new BrokenPromiseError(world, `budget exceeded: ${gauge.excess}`);
    if (places.excess !== undefined) throw new BrokenPromiseError(world, places.excess);
  }
  if (world.excess !== undefined) throw new BrokenPromiseError(world, world.excess);
  checkRepeats(world);
  checkWell(world);
  checkLanes(world);
}

/** Everybody is well again and time passes: what must have happened then. */
export async function checkEnd(world: World): Promise<void> {
  world.time.order = undefined;
  world.heal();
  await world.pass(WELL_WITHIN_MS + 1, () => lateWell(world, 0) === undefined);
  checkStep(world);
  for (const receiver of world.allReceivers) receiver.recover();
  world.resumeAll();
  for (const [instance, settings] of world.settings.stored)
    if (settings === 'unreadable') world.settings.set(instance, 'one');
  await world.pass(QUIET_WITHIN_MS, () => world.isQuiet);
  if (!world.isQuiet) {
    const { parked } = world.redis.state;
    throw new BrokenPromiseError(
      world,
      `not at rest: ${parked} parked, ${world.broker.unsettled} at the broker`,
    );
  }
  checkStep(world);
  checkLanesAreEmpty(world);
  checkArrivals(world);
  await checkCounts(world);
}

function confirmations(world: World): Map<DeliveryId, number> {
  const all = new Map<DeliveryId, number>();
  for (const { confirmed } of world.allReceivers) for (const [id, count] of confirmed) all.set(id, count);
  return all;
}

/** Deliveries that a receiver confirmed after they had been given up. */
function confirmedLate(world: World): Set<DeliveryId> {
  const all = new Set<DeliveryId>();
  for (const { late } of world.allReceivers) for (const id of late) all.add(id);
  return all;
}

function checkRepeats(world: World): void {
  const late = confirmedLate(world);
  const confirmed = confirmations(world);
  for (const { id, mayRepeat } of world.published) {
    if (mayRepeat) continue;
    for (const [delivery, count] of confirmed)
      if (count > 1 && delivery.startsWith(`dlv_${id}`) && !late.has(delivery))
        throw new BrokenPromiseError(world, `${delivery} was delivered ${count} times`);
  }
}

/** The id of an event of the instance that is well, which is not delivered `withinMs` after it could have been. */
function lateWell(world: World, withinMs: number): DeliveryId | undefined {
  const confirmed = confirmations(world);
  for (const { instance, at, due, mayBeLost } of world.published) {
    if (instance !== 'well' || mayBeLost) continue;
    // The operator's own destination may be sick: only the instance's own counts.
    const own = due.find((id) => world.isOwn(id, instance));
    if (own === undefined || confirmed.has(own)) continue;
    const freeAt = world.redis.freeAt.get(own) ?? 0;
    if (world.time.now - Math.max(at, world.calmSince, freeAt) >= withinMs) return own;
  }
  return undefined;
}

function checkWell(world: World): void {
  if (!world.isCalm) return;
  const late = lateWell(world, WELL_WITHIN_MS);
  if (late !== undefined)
    throw new BrokenPromiseError(world, `others' faults keep back ${late} of an instance that is well`);
}

function checkArrivals(world: World): void {
  const confirmed = confirmations(world);
  const dead = new Set(world.redis.state.dead.map(({ id }) => id));
  for (const { due, mayBeLost } of world.published)
    for (const id of due)
      if (!mayBeLost && !confirmed.has(id) && !dead.has(id))
        throw new BrokenPromiseError(world, `${id} was never delivered, and is no dead letter`);
}

/** The audit counts what receivers confirmed, where nothing happened for which it may be off. */
async function checkCounts(world: World): Promise<void> {
  if (world.mayMiscount || confirmedLate(world).size > 0) return;
  await world.pass(COUNTED_WITHIN_MS);
  let confirmed = 0;
  for (const count of confirmations(world).values()) confirmed += count;
  const { delivered } = world.redis.state.counts;
  if (delivered !== confirmed)
    throw new BrokenPromiseError(
      world,
      `the audit counts ${delivered} deliveries, the receivers ${confirmed}`,
    );
}
