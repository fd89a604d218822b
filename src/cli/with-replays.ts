import { instanceOf } from '../destinations/destination-ids';
import { errorText } from '../errors';
import { MODULES } from '../modules';
import { plural } from '../plural';
import { openReplays, type Replays } from '../replays/open-replays';
import type { Progress, ReplaySpec } from '../replays/replay-store';
import { Shares } from '../retry/shares';
import { withStore } from '../retry/with-store';
import { monotonicMs } from '../time/monotonic';
import { FINDING } from './exit';
import { complain, printLine } from './output';

/** Deliveries a second, where nobody says another number. */
export const DEFAULT_RATE = 500;
const TOLD_MS = 1000;

/** Opens the delivery log and the replays for one command. */
export function withReplays<T>(
  work: (replays: Replays) => Promise<T>,
  onProgress?: (progress: Progress) => void,
): Promise<T> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const { redis: access, retry } = config;
  return withStore(access, (store, redis) =>
    work(
      openReplays({
        store,
        redis,
        prefix: access.prefix,
        shares: new Shares({ limits: retry.parkedMaxBytes, instanceOf }),
        onError: (error) => complain(errorText(error)),
        ...(onProgress === undefined ? {} : { onProgress }),
      }),
    ),
  );
}

/** Of a delivery that failed and was made later the log knows both: the failure needs nothing, and what was delivered may be replayed as such. */
export function needlessLine(needless: number): string {
  return `${needless} ${plural(needless, 'record needs no replay of its own: its delivery waits', 'records need no replay of their own: their deliveries wait')}, or arrived since`;
}

/** Replays within this command, and says how far it is; Ctrl-C cancels it. A gateway goes on with it where this process dies. */
export async function replayHere(spec: ReplaySpec): Promise<void> {
  let told = monotonicMs();
  const tell = (progress: Progress): void => {
    if (monotonicMs() - told < TOLD_MS) return;
    told = monotonicMs();
    complain(`${progress.seen} seen, ${progress.replayed} replayed`);
  };
  await withReplays(async ({ store, runner }) => {
    const id = await store.begin(spec);
    const cancel = (): void => void store.end(id, 'cancelled').catch(() => {});
    process.once('SIGINT', cancel);
    const replay = await runner.run(id);
    process.off('SIGINT', cancel);
    if (replay === undefined) return;
    const { state, progress, problem } = replay;
    const { replayed, withoutBody, needless } = progress;
    printLine(`replayed ${replayed}`);
    if (withoutBody > 0)
      complain(
        `${withoutBody} cannot be replayed: ${plural(withoutBody, 'its body is', 'their bodies are')} not kept (DELIVERY_LOG_BODIES)`,
      );
    if (needless > 0) complain(needlessLine(needless));
    // A gateway may have been quicker to take it.
    if (state === 'running') complain(`a gateway goes on with ${id}`);
    if (state === 'failed' || state === 'cancelled') {
      complain(`${state} ${problem}`.trimEnd());
      process.exitCode = FINDING;
    }
  }, tell);
}
