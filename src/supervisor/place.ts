/** A place among the processes of a supervisor; a process that replaces another one has its place. */
export type Place =
  /** Counted from 1. */
  { readonly part: 'worker'; readonly number: number } | { readonly part: 'gateway' };

/** As readiness and the log name it. */
export function nameOf(place: Place): string {
  return place.part === 'worker' ? `worker ${place.number}` : 'gateway';
}

/** Begins or completes a sentence. */
export function calledOf({ part }: Place): string {
  return part === 'worker' ? 'a worker process' : 'the gateway process';
}

/** Of lines of a log. */
export function fieldsOf(place: Place): { readonly worker: number } | { readonly part: 'gateway' } {
  return place.part === 'worker' ? { worker: place.number } : { part: 'gateway' };
}

/** The places of all workers, after that of the gateway where there is to be one. */
export function placesOf(workers: number, withGateway: boolean): Place[] {
  const all = Array.from({ length: workers }, (_, index): Place => ({ part: 'worker', number: index + 1 }));
  return withGateway ? [{ part: 'gateway' }, ...all] : all;
}
