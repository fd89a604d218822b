import type { Envelope } from '../events/envelope';
import type { Logger } from '../observability/logging';
import { describeError, throttled } from '../observability/report';
import type { StoredCalls } from '../retry/retry-store';
import { HeardCounts } from '../silence/heard';
import { SilenceStore } from '../silence/silence-store';
import { type SilenceObserver, SilenceWatch } from '../silence/silence-watch';
import type { SilenceReason } from '../silence/verdict';

export interface SilencesParts {
  readonly store: Pick<StoredCalls, 'isReady' | 'call'>;
  readonly isListening: () => boolean;
  readonly log: Logger;
}

/** Lines for single instances that are logged at once: the others are counted. */
const MOST_LINES = 10;

/** Everything that a worker does to notice instances that fall silent. */
export class Silences {
  readonly store: SilenceStore;
  private readonly heard: HeardCounts;
  private readonly watch: SilenceWatch;

  constructor({ store, isListening, log }: SilencesParts) {
    this.store = new SilenceStore(store);
    const onError = throttled((error) =>
      log.warn('silent instances cannot be noticed', describeError(error)),
    );
    this.heard = new HeardCounts({ store: this.store, isListening, onError });
    this.watch = new SilenceWatch({ store: this.store, observer: logging(log), onError });
  }

  start(): void {
    this.heard.start();
    this.watch.start();
  }

  note(envelope: Envelope): void {
    this.heard.note(envelope);
  }

  async stop(): Promise<void> {
    await Promise.all([this.heard.stop(), this.watch.stop()]);
  }
}

function logging(log: Logger): SilenceObserver {
  return {
    fellSilent: (silent) => {
      for (const [instance, { since, why }] of [...silent].slice(0, MOST_LINES))
        log.warn(sentenceOf(why), { instance, since: new Date(since).toISOString(), reason: why });
      if (silent.size > MOST_LINES)
        log.warn('further instances fell silent', { count: silent.size - MOST_LINES });
    },
    speakAgain: (instances) => {
      log.info('instances speak again', {
        count: instances.length,
        instances: instances.slice(0, MOST_LINES),
      });
    },
    mostAreSilent: (count, of) => {
      log.error('most instances fell silent at once: check the core API, and its connection to the broker', {
        silent: count,
        of,
      });
    },
  };
}

function sentenceOf(why: SilenceReason): string {
  switch (why) {
    case 'closed':
      return 'an instance is disconnected: connect it again in the core API';
    case 'only-others':
      return 'an instance sends presence and the like, but no messages any more: restart it in the core API';
    case 'fell-silent':
      return 'an instance that was lively sends no messages any more: restart it in the core API';
    case 'long-silent':
      return 'an instance has sent no messages for two usual days';
  }
}
