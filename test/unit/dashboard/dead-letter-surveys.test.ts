import { DeadLetterSurveys } from '../../../src/dashboard/dead-letter-surveys';
import type { DeadLetter, DeadLetterPage } from '../../../src/dead-letters/dead-letters';
import type { DeliveryId } from '../../../src/pipeline/delivery';

const letter = (at: number, reason: string, destination = 'webhook:global'): DeadLetter => ({
  ...{ id: `dlv_${at}` as DeliveryId, destination, event: 'call', instance: 'loja', reason, at, bytes: 1 },
});
const page = (...letters: DeadLetter[]): DeadLetterPage => ({ letters, seen: letters.length, cursor: 'x' });

/** Pages that come when the test lets them. */
class Pages {
  walks = 0;
  private go: () => void = () => {};
  private readonly gate = new Promise<void>((resolve) => {
    this.go = resolve;
  });

  constructor(
    private readonly before: readonly DeadLetterPage[],
    private readonly after: readonly DeadLetterPage[] = [],
  ) {}

  release(): void {
    this.go();
  }

  async *pages(): AsyncGenerator<DeadLetterPage> {
    this.walks++;
    yield* this.before;
    if (this.after.length > 0) await this.gate;
    yield* this.after;
  }
}

describe('a survey of dead letters', () => {
  test('counts them by reason, largest first, and knows which can be delivered', async () => {
    const deadLetters = new Pages([
      page(letter(1, 'malformed', 'none'), letter(2, 'rejected')),
      page(letter(3, 'rejected', 'webhook:instance/loja'), letter(4, 'rejected')),
    ]);
    const survey = await new DeadLetterSurveys({ deadLetters }).of({}, {});
    expect(survey).toMatchObject({ count: 4, replayable: 3, isComplete: true });
    expect(survey.groups).toEqual([
      { reason: 'rejected', count: 3, newest: 4, destinations: ['webhook:global', 'webhook:instance/loja'] },
      { reason: 'malformed', count: 1, newest: 1, destinations: ['none'] },
    ]);
    expect(survey.newest.map(({ at }) => at)).toEqual([4, 3, 2, 1]);
  });

  test('says how far it is where it takes longer than a page waits, and goes on meanwhile', async () => {
    const deadLetters = new Pages([page(letter(1, 'rejected'))], [page(letter(2, 'rejected'))]);
    const surveys = new DeadLetterSurveys({ deadLetters });
    expect(await surveys.of({}, {})).toMatchObject({ count: 1, isComplete: false });
    deadLetters.release();
    expect(await surveys.of({}, {})).toMatchObject({ count: 2, isComplete: true });
    expect(deadLetters.walks).toBe(1);
  });

  test('is shared by those who ask for the same, and made anew after a change', async () => {
    let now = 0;
    const deadLetters = new Pages([page(letter(1, 'rejected'))]);
    const surveys = new DeadLetterSurveys({ deadLetters, now: () => now });
    await Promise.all([surveys.of({}, {}), surveys.of({}, {})]);
    expect(deadLetters.walks).toBe(1);
    now = 2000;
    await surveys.of({}, {});
    expect(deadLetters.walks).toBe(1);
    surveys.forget();
    await surveys.of({}, {});
    expect(deadLetters.walks).toBe(2);
    now = 10_000;
    await surveys.of({}, {});
    expect(deadLetters.walks).toBe(3);
  });

  test('that failed says so, and is tried again', async () => {
    let fails = true;
    const deadLetters = {
      async *pages(): AsyncGenerator<DeadLetterPage> {
        if (fails) throw new Error('away');
        yield page(letter(1, 'rejected'));
      },
    };
    const surveys = new DeadLetterSurveys({ deadLetters });
    await expect(surveys.of({}, {})).rejects.toThrow('away');
    fails = false;
    expect(await surveys.of({}, {})).toMatchObject({ count: 1, isComplete: true });
  });
});
