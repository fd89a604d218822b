import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** More workers than this have more to do with each other than with events. */
export const MAX_PROCESSES = 128;
const AUTO = 'auto';
/** What a container may use of the processors: quota and period, microseconds. */
const QUOTA_FILE = '/sys/fs/cgroup/cpu.max';

/** The number that `--processes` asks for; undefined where it is none. */
export function processCount(text: string, processors = usableProcessors()): number | undefined {
  if (text === AUTO) return Math.min(MAX_PROCESSES, processors);
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MAX_PROCESSES ? count : undefined;
}

/** Processors that this process may use at once, also where a container has a part of them. */
function usableProcessors(): number {
  return Math.max(1, Math.min(availableParallelism(), quotaOf(quotaText())));
}

/** `200000 100000` is two; `max 100000` is no limit. */
export function quotaOf(text: string): number {
  const [quota, period] = text.trim().split(/\s+/).map(Number);
  if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0)) return MAX_PROCESSES;
  return Math.ceil(quota / period);
}

function quotaText(): string {
  try {
    return readFileSync(QUOTA_FILE, 'utf8');
  } catch {
    return '';
  }
}
