const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** What `parseMoment` takes; completes the sentence "must be …". */
export const MOMENT = 'an ISO time, or an age such as 30m, 2h or 7d';

/** An ISO time, or an age (`30m`) before `now` → epoch milliseconds; undefined where it is neither. */
export function parseMoment(text: string, now: number): number | undefined {
  const age = /^(\d+)([smhd])$/.exec(text);
  if (age !== null) return now - Number(age[1]) * (UNIT_MS[age[2] ?? ''] ?? 0);
  const [date] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  const time = date !== undefined && isDay(date) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** `Date.parse` takes the thirtieth of February for the second of March. */
function isDay(date: string): boolean {
  const time = Date.parse(date);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date);
}
