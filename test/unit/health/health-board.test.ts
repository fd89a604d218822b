import { type DestinationId, destinationKey, type Outcome } from '../../../src/pipeline/delivery';
import { HealthHarness } from '../../support/harness/health-harness';
import { turns } from '../../support/signals/signals';

const id = 'webhook:global' as DestinationId;
const key = destinationKey(id);
const FAILED: Outcome = { kind: 'failed', code: 'ECONNRESET' };
const PERSONS = JSON.stringify({ id, state: 'suspended', by: 'person', since: 0 });
const LONG_MS = 1_000_000_000;

/** A Redis in which a person suspended the destination: it answers when it is let. */
class HeldStore {
  readonly isReady = true;
  private isSuspended = true;
  private readonly held: { readonly script: string; readonly answer: () => void }[] = [];

  call(script: string, ...args: readonly unknown[]): Promise<unknown> {
    const reply = script === 'relayHealthSince' ? this.since(Number(args[0])) : this.unwell();
    return new Promise((resolve) => this.held.push({ script, answer: () => resolve(reply) }));
  }

  resume(): void {
    this.isSuspended = false;
  }

  async let(script: string): Promise<void> {
    const index = this.held.findIndex((each) => each.script === script);
    for (const { answer } of this.held.splice(index, 1)) answer();
    await turns(10);
  }

  private since(version: number): unknown[] {
    const now = this.isSuspended ? 1 : 2;
    if (version === now) return [now, 0];
    return [now, version < 0 ? 1 : 0, key, ...(this.isSuspended ? [PERSONS, LONG_MS, ''] : ['', 0, ''])];
  }

  private unwell(): unknown[] {
    return ['suspended', LONG_MS, 'suspended', 0];
  }
}

describe('a destination that a person suspends while a worker finds that it fails', () => {
  let store: HeldStore;
  let health: HealthHarness;

  const poll = async (): Promise<void> => {
    void health.board.poll();
    await store.let('relayHealthSince');
  };

  beforeEach(async () => {
    store = new HeldStore();
    health = new HealthHarness(store);
    await health.fail(id, FAILED);
    await turns(10);
  });

  it('goes on when it is resumed, although the news of its suspension came while the failure was written', async () => {
    await poll();
    await store.let('relayUnwell');
    await poll();
    expect(health.circuit(id).obstacle).toBe('suspended');
    store.resume();
    await poll();
    expect(health.circuit(id).isOpen).toBe(false);
  });

  it('goes on when it was resumed before the failure was answered', async () => {
    store.resume();
    await poll();
    await store.let('relayUnwell');
    expect(health.circuit(id).obstacle).toBe('suspended');
    await poll();
    expect(health.circuit(id).isOpen).toBe(false);
  });

  it('goes on when it was resumed before the news of its suspension came', async () => {
    await store.let('relayUnwell');
    store.resume();
    await poll();
    expect(health.circuit(id).isOpen).toBe(false);
  });
});
