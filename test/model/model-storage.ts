import { instanceOf } from '../../src/destinations/destination-ids';
import { Ledger } from '../../src/ledger/ledger';
import type { Decide } from '../../src/pipeline/parking';
import { BullMqParking } from '../../src/retry/bullmq-parking';
import { GroupCommit } from '../../src/retry/group-commit';
import { LaneParking } from '../../src/retry/lane-parking';
import { decide } from '../../src/retry/policy';
import { Shares } from '../../src/retry/shares';
import { StoredDeliveries } from '../../src/retry/stored-deliveries';
import { LIMITS } from './limits';
import type { Process } from './process';
import { MemoryStore, type ModelRedis } from './redis';

const ignore = (): void => {};
export const OBSERVER = {
  received: ignore,
  malformed: ignore,
  duplicate: ignore,
  settled: ignore,
  filtered: ignore,
  attemptEnded: ignore,
  parked: ignore,
  superseded: ignore,
  deadLettered: ignore,
  recordMissing: ignore,
  settingsUnreadable: ignore,
  unwanted: ignore,
};

/** What a process has of the store, put together as src/worker/compose-storage.ts does. */
export class ModelStorage {
  readonly store: MemoryStore;
  readonly commit: GroupCommit;
  readonly ledger: Ledger;
  readonly deliveries: StoredDeliveries;
  readonly parking: BullMqParking;
  readonly laneParking: LaneParking;
  readonly decide: Decide = ({ destination }, record) =>
    decide(LIMITS.policy, destination.maxAttempts, record, Math.random());

  constructor(redis: ModelRedis, process: Process) {
    this.store = new MemoryStore(redis, process);
    const { store, decide: decideNext } = this;
    this.commit = new GroupCommit(store, ignore);
    this.ledger = new Ledger(store, this.commit);
    this.deliveries = new StoredDeliveries({ store, commit: this.commit, worker: process.name });
    const { deliveries } = this;
    const shares = new Shares({ limits: { perInstance: 0, perGlobalDestination: 0 }, instanceOf });
    this.parking = new BullMqParking({ deliveries, shares, decide: decideNext, observer: OBSERVER });
    this.laneParking = new LaneParking({ store, deliveries, shares, observer: OBSERVER, onError: ignore });
  }
}
