const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** Each is shown with the one below it; seconds beside minutes would say more than anybody wants to know. */
const BESIDE: Readonly<Record<string, readonly [unit: string, ms: number]>> = {
  d: ['h', 3_600_000],
  h: ['min', 60_000],
};

/** A length of time in words for people, in its two largest units; the second is left out where there is nothing of it. */
export function ageText(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms >= each) ?? ['s', 1000];
  const whole = `${Math.max(0, Math.floor(ms / length))} ${unit}`;
  const beside = BESIDE[unit];
  if (beside === undefined) return whole;
  const rest = Math.floor((ms % length) / beside[1]);
  return rest === 0 ? whole : `${whole} ${rest} ${beside[0]}`;
}
