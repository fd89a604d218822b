import type { Broker } from './broker';
import type { Cleanup } from './cleanup';
import type { BenchOptions } from './options';
import type { Receiver } from './receivers/receiver';
import type { BenchRedis } from './redis';
import type { Print } from './report';

/** What every section works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly rabbitmqUri: string;
  readonly broker: Broker;
  readonly redis: BenchRedis;
  readonly receiver: Receiver;
  readonly cleanup: Cleanup;
  /** Where everything runs: a `.env` or a settings file elsewhere has no say. */
  readonly folder: string;
  readonly print: Print;
  /** What is going on, for a person who waits. */
  readonly progress: Print;
}
