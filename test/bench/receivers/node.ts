import { Child } from '../child';
import type { Cleanup } from '../cleanup';
import { Counter, type Receiver } from './receiver';

/** Where there is no nginx: a plain Node server in a process of its own. */
export async function startNodeReceiver(folder: string, cleanup: Cleanup): Promise<Receiver> {
  const child = await Child.start(
    { name: 'receiver', args: Child.script('receivers/counting-process.ts'), env: {}, folder },
    cleanup,
  );
  const { port } = await child.message<{ port: number }>();
  const origin = `http://127.0.0.1:${port}`;
  const counter = new Counter(origin, (text) => Number(text));
  return { name: `node:http ${process.version}`, url: `${origin}/webhook`, received: () => counter.read() };
}
