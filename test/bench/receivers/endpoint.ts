import { Child } from '../child';
import type { Bench } from '../context';
import { Counter, type Receiver } from './receiver';

export interface EndpointOptions {
  /** How long each request takes. */
  readonly ms: number;
  /** Requests that are served at a time; left out or 0, all of them. */
  readonly places?: number;
  readonly status?: number;
}

export interface Endpoint extends Receiver {
  /** Answers with this status from now on, and counts from 0. */
  answer(status: number): void;
  stop(): Promise<unknown>;
}

/** An endpoint that takes its time, in a process of its own (slow-process.ts). */
export async function startEndpoint(
  { folder, cleanup }: Pick<Bench, 'folder' | 'cleanup'>,
  { ms, places = 0, status = 200 }: EndpointOptions,
): Promise<Endpoint> {
  const child = await Child.start(
    {
      name: 'endpoint',
      args: Child.script('receivers/slow-process.ts'),
      env: { SLOW_MS: String(ms), SLOW_PLACES: String(places), SLOW_STATUS: String(status) },
      folder,
    },
    cleanup,
  );
  const { port } = await child.message<{ port: number }>();
  const origin = `http://127.0.0.1:${port}`;
  const counter = new Counter(origin, Number);
  return {
    name: 'endpoint',
    url: `${origin}/webhook`,
    received: () => counter.read(),
    answer: (next) => child.send(next),
    stop: () => child.stop(),
  };
}
