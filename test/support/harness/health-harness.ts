import { randomUUID } from 'node:crypto';
import { EndpointWatch } from '../../../src/health/endpoint-watch';
import { HealthBoard, type HealthBoardParts } from '../../../src/health/health-board';
import { Bulkheads } from '../../../src/pipeline/bulkheads';
import type { Circuit } from '../../../src/pipeline/circuit';
import type { DestinationId, Endpoint, Outcome } from '../../../src/pipeline/delivery';
import { Happenings } from '../signals/signals';

export interface HealthSettings {
  readonly openMs?: number;
  readonly suspendAfterMs?: number;
}

/** What one worker knows of the health of destinations, and what it logs of it. */
export class HealthHarness {
  readonly log = new Happenings<string>();
  readonly board: HealthBoard;
  readonly endpoints: EndpointWatch;
  readonly bulkheads: Bulkheads;
  /** Where the destinations are; undefined: removed. */
  /** The name under which it says that it is there. */
  readonly worker = randomUUID();
  endpoint: Endpoint | undefined = { shown: 'http://receiver.test/hook', print: 'aaaa' };

  constructor(
    store: HealthBoardParts['store'],
    { openMs = 60_000, suspendAfterMs = 0 }: HealthSettings = {},
  ) {
    const endpointOf = async (): Promise<Endpoint | undefined> => this.endpoint;
    this.board = new HealthBoard({
      store,
      openMs,
      suspendAfterMs,
      circuitOf: (id) => this.bulkheads.circuitOf(id),
      endpointOf,
      onRead: () => this.endpoints.settingsChanged(undefined),
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
      endpointOf,
      instanceOf: () => undefined,
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

  circuit(id: DestinationId): Circuit {
    return this.bulkheads.of({ id, limits: {} }).circuit;
  }

  /** Opens the circuit, as far as this worker knows. */
  async fail(id: DestinationId, outcome: Outcome): Promise<void> {
    for (let count = 0; count < 3; count++) await this.circuit(id).run(async () => outcome);
  }
}
