import type { Finding } from './finding';

const MAX_TARGETS = 200;
const AT_ONCE = 10;

/** Looks at many targets, a few at a time; how many were too many is noted. */
export async function inspectEach<T>(
  targets: readonly T[],
  inspect: (target: T) => Promise<Finding>,
  tooMany: (count: number) => Finding,
): Promise<Finding[]> {
  const looked = targets.slice(0, MAX_TARGETS);
  const findings: Finding[] = [];
  for (let start = 0; start < looked.length; start += AT_ONCE) {
    findings.push(...(await Promise.all(looked.slice(start, start + AT_ONCE).map(inspect))));
  }
  const left = targets.length - looked.length;
  return left > 0 ? [...findings, tooMany(left)] : findings;
}
