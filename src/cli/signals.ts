/** Calls for each SIGTERM and SIGINT, the ways in which a process is asked to end. */
export function eachSignal(take: (signal: NodeJS.Signals) => void): void {
  process.on('SIGTERM', take);
  process.on('SIGINT', take);
}
