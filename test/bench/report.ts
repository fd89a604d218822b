/** A figure and the goal that it is held against. */
export interface Verdict {
  readonly what: string;
  readonly value: number;
  readonly unit?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** The same figure of each round: shows how much it varies. */
  readonly rounds?: readonly number[];
}

export type Print = (line: string) => void;

export function heading(print: Print, title: string): void {
  print('');
  print(title);
}

/** One line with a figure that has no goal of its own. */
export function figure(print: Print, name: string, text: string): void {
  print(`  ${name.padEnd(30)} ${text}`);
}

export function verdict(print: Print, { what, value, unit = '', ...goal }: Verdict): boolean {
  const isReached =
    (goal.atLeast === undefined || value >= goal.atLeast) &&
    (goal.atMost === undefined || value <= goal.atMost);
  const bound = goal.atLeast === undefined ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
  const rounds = goal.rounds === undefined ? '' : `  [${goal.rounds.map(short).join(' ')}]`;
  print(
    `  ${what.padEnd(30)} ${`${short(value)}${unit}`.padEnd(10)} goal ${`${bound}${unit}`.padEnd(10)} ${isReached ? 'ok' : 'not reached'}${rounds}`,
  );
  return isReached;
}

export function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')}/s`;
}

function short(value: number): string {
  return value.toFixed(2);
}
