/**
 * A Redis that reached its `maxmemory` refuses what may need memory, also within scripts, until a script has written
 * something that needs none. One that begins with a removal is therefore let through to its end. This key never exists.
 */
export function allowedWhileFull(lua: string): string {
  return `redis.call('DEL', KEYS[1] .. ':none')\n${lua}`;
}

/**
 * BullMQ's scripts that move or remove jobs which are stored already: a full Redis must let them pass, or it never
 * empties. Those that add jobs are not among them.
 */
const MOVING: ReadonlySet<string> = new Set([
  'addLog',
  'changeDelay',
  'cleanJobsInSet',
  'extendLock',
  'extendLocks',
  'moveJobFromActiveToWait',
  'moveStalledJobsToWait',
  'moveToActive',
  'moveToDelayed',
  'moveToFinished',
  'promote',
  'releaseLock',
  'removeJob',
  'reprocessJob',
  'retryJob',
  'updateData',
]);

/** BullMQ defines its scripts as `name:version`. */
export function freesMemory(script: string): boolean {
  return MOVING.has(script.split(':')[0] ?? '');
}
