import type { World } from './world';

/** A promise that a run broke; the message says which, and when. */
export class BrokenPromiseError extends Error {
  constructor(world: World, message: string) {
    super(`${message} (at ${Math.round(world.time.now)} ms)`);
  }
}
