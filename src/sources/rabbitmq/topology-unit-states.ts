import type { Transitions } from '../../lifecycle/state-machine';

/**
 * | state   | meaning                                                                                                  |
 * |---------|----------------------------------------------------------------------------------------------------------|
 * | untried | it was not checked yet, or is wanted in another way since                                                |
 * | ready   | everything of it was there, or could be declared                                                         |
 * | refused | the broker refused something of it                                                                       |
 * | suspect | the broker closed the whole connection while this was asked for: it is tried on a connection of its own   |
 *
 * A suspect to which the broker answers on a connection of its own is no longer one: several units are asked for side by side, and
 * the broker may have closed the connection over another of them. Until then it is one, however else it is wanted.
 */
export type TopologyUnitState = 'untried' | 'ready' | 'refused' | 'suspect';

export const TOPOLOGY_UNIT_TRANSITIONS: Transitions<TopologyUnitState> = {
  untried: ['ready', 'refused', 'suspect'],
  ready: ['untried', 'refused', 'suspect'],
  refused: ['untried', 'ready', 'suspect'],
  suspect: ['ready', 'refused'],
};
