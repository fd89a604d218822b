import type { RedisDeduplication } from '../deduplication/redis-deduplication';
import type { Ledger } from '../ledger/ledger';
import type { LidBook } from '../lids/lid-book';
import type { Lifecycle } from '../lifecycle/lifecycle';
import { runSteps, type Step } from '../lifecycle/steps';
import type { Logger } from '../observability/logging';
import type { Attempts } from '../pipeline/attempts';
import type { DirectAttempts } from '../pipeline/direct-attempts';
import type { Lanes } from '../pipeline/lanes';
import type { Relay } from '../pipeline/relay';
import type { GroupCommit } from '../retry/group-commit';
import type { SettingsCache } from '../settings/settings-cache';
import type { Alerting } from './alerting';
import type { Gauges } from './gauges';
import type { Sources } from './intake';
import type { OrderedCopies } from './ordered-copies';
import type { Retries } from './retries';
import type { Silences } from './silences';

export interface DrainParts {
  readonly sources: Pick<Sources, 'stopIntake'>;
  readonly retries: Pick<Retries, 'stopIntake' | 'close'>;
  readonly gauges: Pick<Gauges, 'stop'>;
  readonly silences: Pick<Silences, 'stop'>;
  readonly alerting: Pick<Alerting, 'stop'>;
  readonly lids: Pick<LidBook, 'stop'>;
  readonly settings: Pick<SettingsCache, 'close'>;
  readonly deduplication: Pick<RedisDeduplication, 'drain'> | undefined;
  readonly relay: Pick<Relay, 'idle' | 'openMessages'>;
  readonly attempts: Pick<Attempts, 'idle' | 'interrupt' | 'count'>;
  readonly directAttempts: Pick<DirectAttempts, 'idle' | 'drain'>;
  readonly lanes: Pick<Lanes, 'drain'>;
  readonly copies: Pick<OrderedCopies, 'stop'>;
  readonly ledger: Pick<Ledger, 'flush' | 'uncounted'>;
  readonly commit: Pick<GroupCommit, 'close'>;
  /** Everything that is connected; brokers before Redis. */
  readonly lifecycle: Pick<Lifecycle, 'releaseSteps'>;
  readonly log: Logger;
}

/** While one of these goes on, something that was received is not settled, or not counted. */
const ESSENTIAL = ['settle', 'close retries', 'flush ledger'] as const;

/**
 * Ends a worker: nothing is lost, and nothing that was delivered is sent again. True where everything was settled before
 * the deadline; what was not goes back to the brokers.
 */
export async function drain(parts: DrainParts, deadlineMs: number): Promise<boolean> {
  const { log, relay, ledger } = parts;
  log.info('draining', { deadlineMs });
  const notDone = await runSteps<string>({ what: 'drain', steps: drainSteps(parts), deadlineMs, log });
  const settled = ESSENTIAL.every((name) => notDone.get(name) !== 'late');
  const left = relay.openMessages;
  const { uncounted } = ledger;
  if (uncounted !== undefined)
    log.error('the audit misses deliveries that were made: redis did not take their counts', {
      ...uncounted,
    });
  log.info('worker stopped', { settled, messagesLeftToTheBroker: left });
  return settled && left === 0;
}

/** The steps in their order, with the hundredths of the deadline that each may take. */
export function drainSteps(parts: DrainParts): Step[] {
  const { relay, attempts, directAttempts, retries, ledger, commit, lifecycle } = parts;
  const idle = (): Promise<unknown> => Promise.all([relay.idle(), attempts.idle(), directAttempts.idle()]);
  return [
    // A long poll of SQS cannot be cut short without a message being lost from sight for its visibility timeout.
    { name: 'stop intake', share: 65, run: () => stopIntake(parts) },
    { name: 'wait for attempts', share: 15, run: idle },
    { name: 'interrupt', share: 0, run: () => interrupt(parts) },
    { name: 'settle', share: 6, run: idle },
    { name: 'close retries', share: 2, run: () => retries.close() },
    { name: 'flush ledger', share: 2, run: () => ledger.flush() },
    {
      // What could not be stored by now goes back to the broker.
      name: 'close store',
      share: 1,
      run: () => {
        commit.close();
        return relay.idle();
      },
    },
    ...lifecycle.releaseSteps(9),
  ];
}

/** Nothing comes in any more; what waits for its turn goes back to the broker untouched. */
function stopIntake(parts: DrainParts): Promise<unknown> {
  const { sources, retries, gauges, silences, alerting, lids, directAttempts, lanes } = parts;
  const { copies, deduplication, settings } = parts;
  const stopped = Promise.all([
    ...[sources.stopIntake(), retries.stopIntake(), gauges.stop(), silences.stop(), copies.stop()],
    alerting.stop(),
    lids.stop(),
  ]);
  // What is not begun of a lane is stored, behind what is.
  lanes.drain();
  directAttempts.drain();
  deduplication?.drain();
  settings.close();
  return stopped;
}

/** Cuts attempts short that are still under way: they are parked, and a worker makes them again. */
function interrupt({ relay, attempts, log }: DrainParts): void {
  const { count } = attempts;
  const messages = relay.openMessages;
  if (count === 0 && messages === 0) return;
  log.warn('interrupting attempts', { attempts: count, messages });
  attempts.interrupt();
}
