import { randomUUID } from 'node:crypto';
import { EndpointWatch } from '../../../src/health/endpoint-watch';
import { HealthBoard, type HealthBoardParts } from '../../../src/health/health-board';
import { Rejections } from '../../../src/health/rejections';
import { Bulkheads } from '../../../src/pipeline/bulkheads';
import type { AttemptTarget, Circuit } from '../../../src/pipeline/circuit';
import type { DestinationId, Endpoint, Outcome } from '../../../src/pipeline/delivery';
import { monotonicMs } from '../../../src/time/monotonic';
import { Happenings } from '../signals/signals';
import { deliveryTo } from '../values/events';
import { FakeDestination } from './pipeline-harness';

export interface HealthSettings {
  readonly openMs?: number;
  readonly suspendAfterMs?: number;
  /** By which rejections are counted. */
  readonly now?: () => number;
}

/** What one worker knows of the health of destinations, and what it logs of it. */
export class HealthHarness {
  readonly log = new Happenings<string>();
  readonly board: HealthBoard;
  readonly rejections: Rejections;
  readonly endpoints: EndpointWatch;
  readonly bulkheads: Bulkheads;
  /** Where the destinations are; undefined: removed. */
  /** The name under which it says that it is there. */
  readonly worker = randomUUID();
  endpoint: Endpoint | undefined = { shown: 'http://receiver.test/hook', print: 'aaaa' };

  constructor(
    store: HealthBoardParts['store'],
    { openMs = 60_000, suspendAfterMs = 0, now = monotonicMs }: HealthSettings = {},
  ) {
    const endpointOf = async (): Promise<Endpoint | undefined> => this.endpoint;
    this.rejections = new Rejections({
      store,
      endpointOf,
      now,
      observer: {
        rejecting: ({ address }, { code, status }) => this.log.add(`rejecting ${code} ${status} ${address}`),
        rejectingOver: ({ address }, end) => this.log.add(`rejecting over: ${end} ${address}`),
      },
      onError: () => {},
    });
    this.board = new HealthBoard({
      store,
      rejections: this.rejections,
      openMs,
      suspendAfterMs,
      circuitOf: (id) => this.bulkheads.circuitOf(id),
      endpointOf,
      onRead: () => this.endpoints.settingsChanged(undefined),
      onUnwell: (id) => this.endpoints.becameUnwell(id),
      observer: {
        failing: ({ address, waiting }, { code }) => this.log.add(`failing ${code} ${address} ${waiting}`),
        suspended: ({ address }, { code }) => this.log.add(`suspended ${code} ${address}`),
        recovered: ({ address }) => this.log.add(`recovered ${address}`),
      },
      worker: this.worker,
      onError: () => {},
    });
    this.endpoints = new EndpointWatch({
      board: this.board,
      rejections: this.rejections,
      endpointOf,
      onError: () => {},
    });
    this.bulkheads = new Bulkheads({
      concurrency: 10,
      circuitFailures: 3,
      circuitOpenMs: openMs,
      onCircuit: () => {},
      shared: this.board,
    });
  }

  /** An attempt ended like this, as far as this worker knows. */
  attempt(id: DestinationId, outcome: Outcome): void {
    const destination = Object.assign(new FakeDestination(id), {
      endpoint: () => this.endpoint ?? { shown: '', print: '' },
    });
    const record = { attempt: 1, at: 0, durationMs: 1, outcome };
    this.rejections.attemptEnded(deliveryTo(destination), record);
  }

  circuit(id: DestinationId): Circuit {
    return this.bulkheads.of({ id, limits: {} }).circuit;
  }

  /** Opens the circuit, as far as this worker knows. */
  async fail(id: DestinationId, outcome: Outcome, to?: AttemptTarget): Promise<void> {
    for (let count = 0; count < 3; count++) await this.circuit(id).run(async () => outcome, to);
  }
}
