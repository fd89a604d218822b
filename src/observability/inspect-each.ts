import { explainError } from '../errors';
import { forEachApart } from '../time/for-each-apart';
import type { Finding } from './finding';

const MAX_TARGETS = 200;
const AT_ONCE = 10;

/** Looks at many targets, a few at a time, each apart from the others; how many were too many is noted. */
export async function inspectEach<T extends { readonly part: string }>(
  targets: readonly T[],
  inspect: (target: T) => Promise<Finding>,
  tooMany: (count: number) => Finding,
): Promise<Finding[]> {
  const looked = targets.slice(0, MAX_TARGETS);
  const findings = new Map<T, Finding>();
  await forEachApart({
    items: looked,
    atOnce: AT_ONCE,
    work: async (target) => findings.set(target, await inspect(target)),
    onFault: (error, target) => findings.set(target, failed(target.part, error)),
  });
  const inOrder = looked.flatMap((target) => findings.get(target) ?? []);
  const left = targets.length - looked.length;
  return left > 0 ? [...inOrder, tooMany(left)] : inOrder;
}

function failed(part: string, error: unknown): Finding {
  return { part, check: 'inspection', state: 'trouble', detail: explainError(error) };
}
