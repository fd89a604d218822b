import type { Transitions } from '../lifecycle/state-machine';

/**
 * | state     | meaning                                                     |
 * |-----------|-------------------------------------------------------------|
 * | idle      | everything is made, nothing runs                            |
 * | starting  | the server and its routes are being made, and the port opened |
 * | listening | requests are answered                                       |
 * | stopping  | clients are sent away, then everything ends                 |
 * | closed    | for good                                                    |
 */
export type GatewayState = 'idle' | 'starting' | 'listening' | 'stopping' | 'closed';

export const GATEWAY_TRANSITIONS: Transitions<GatewayState> = {
  idle: ['starting', 'stopping'],
  starting: ['listening', 'stopping'],
  listening: ['stopping'],
  stopping: ['closed'],
  closed: [],
};
