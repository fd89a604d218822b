import { type ControlChannel, tryAlone } from './control-channel';
import type { Refused } from './refusals';
import type { Connect } from './session';
import type { TopologyUnit } from './topology-unit';

/**
 * Tries a unit on a connection of its own: the broker may close it over that, and what is consumed stays. Gives what it was
 * closed for.
 */
export async function trySuspect(
  { what, instance }: TopologyUnit,
  connect: Connect,
  ensure: (control: ControlChannel) => Promise<void>,
): Promise<Refused | undefined> {
  const refusal = await tryAlone(connect, ensure);
  if (refusal === undefined) return undefined;
  const text = `the broker closes the connection over it: ${refusal.message}`;
  const refused = { what, code: refusal.code, text, isEssential: instance === undefined };
  return instance === undefined ? refused : { ...refused, instance };
}
