import { cpus, loadavg, totalmem } from 'node:os';

/** What the figures were measured on; load from elsewhere explains a strange one. */
export function describeMachine(): string {
  const cores = cpus();
  const [load = 0] = loadavg();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return `${cores[0]?.model.trim() ?? process.arch}, ${cores.length} cores, ${gigabytes} GB, load before ${load.toFixed(2)}`;
}
