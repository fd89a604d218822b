import { Scenario } from '../support/harness/scenario';
import { answering, ok } from '../support/servers/receiver';

jest.setTimeout(120_000);

const EVENTS = 30;
const ATTEMPTS = 10;

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly history: readonly { attempt: number; outcome: Readonly<Record<string, unknown>> }[];
}

describe('attempts used up', () => {
  let scenario: Scenario;

  afterEach(() => scenario.close());

  test('end in dead letters with their whole history; replayed, they arrive under the same id', async () => {
    scenario = await Scenario.start({
      env: {
        WEBHOOK_RETRY_INITIAL_DELAY_SECONDS: '0.05',
        WEBHOOK_RETRY_MAX_DELAY_SECONDS: '0.2',
        // The circuit would keep attempts from being made, which spends none.
        CIRCUIT_FAILURES: '1000000',
      },
    });
    const { receiver } = scenario;
    receiver.behaviour = answering(500);
    await scenario.startWorker();
    await scenario.publish(EVENTS);
    const audit = await scenario.untilAudited(({ dead }) => dead === EVENTS);
    expect(audit).toMatchObject({ accepted: EVENTS, delivered: 0, parked: 0, dead: EVENTS });
    expect([...receiver.tallies.values()].map(({ arrivals }) => arrivals)).toEqual(
      new Array(EVENTS).fill(ATTEMPTS),
    );

    const ids = (await list(scenario)).map(({ id }) => id);
    expect(new Set(ids)).toEqual(
      new Set([...receiver.tallies.values()].flatMap(({ webhookIds }) => [...webhookIds])),
    );
    for (const id of ids.slice(0, 5)) {
      const shown = await scenario.command('dead-letters', 'show', id);
      const letter = JSON.parse(shown.stdout) as Letter;
      expect(letter.reason).toBe('attempts-exhausted');
      expect(letter.history.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      for (const { outcome } of letter.history) {
        expect(outcome).toMatchObject({
          kind: 'failed',
          status: 500,
          code: 'HTTP_500',
          answer: 'answer 500',
        });
      }
    }

    receiver.behaviour = ok;
    const replayed = await scenario.command('dead-letters', 'replay', '--all');
    expect(replayed).toMatchObject({ code: 0, stdout: `replayed ${EVENTS}\n` });
    // Whoever got an event under two ids, or one not at all, is found here.
    const { duplicates, audit: after } = await scenario.conclude('attempts used up, then replayed');
    expect(duplicates).toBe(0);
    expect(after).toMatchObject({ accepted: EVENTS, delivered: EVENTS, dead: 0 });
    expect(await list(scenario)).toEqual([]);
  });
});

async function list(scenario: Scenario): Promise<{ id: string }[]> {
  const { stdout } = await scenario.command('dead-letters', 'ls', '--json');
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string });
}
