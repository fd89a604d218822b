import { html } from '../../../src/dashboard/html';
import type { View } from '../../../src/dashboard/screen';
import { SharedViews } from '../../../src/dashboard/shared-views';

interface Asked {
  readonly language: string;
  readonly instance?: string | undefined;
}

type Readings = readonly [{ readonly of: string }, { readonly of: string }];

const READINGS: Readings = [{ of: 'first' }, { of: 'first' }];
const ENGLISH: Asked = { language: 'en' };

function setup() {
  const world = { made: 0, fails: false };
  const views = new SharedViews<Readings, Asked>(async ([reading], { language, instance }) => {
    world.made++;
    if (world.fails) throw new Error('away');
    return { title: language, body: html`${reading.of} ${language} ${instance ?? 'all'}` };
  });
  const text = async (readings: Readings, asked: Asked): Promise<string> =>
    (await views.of(readings, asked)).body.text;
  return { world, views, text };
}

describe('what a screen shows', () => {
  test('is made once for all who ask the same', async () => {
    const { world, views } = setup();
    const asked = Array.from({ length: 100 }, (): Promise<View> => views.of(READINGS, { ...ENGLISH }));
    expect(new Set((await Promise.all(asked)).map(({ body }) => body)).size).toBe(1);
    await views.of(READINGS, ENGLISH);
    expect(world.made).toBe(1);
  });

  test('is made for each language and each instance', async () => {
    const { text } = setup();
    expect(await text(READINGS, ENGLISH)).toBe('first en all');
    expect(await text(READINGS, { language: 'es' })).toBe('first es all');
    expect(await text(READINGS, { language: 'en', instance: 'loja' })).toBe('first en loja');
    expect(await text(READINGS, { language: 'en', instance: 'outra' })).toBe('first en outra');
    expect(await text(READINGS, { language: 'en', instance: undefined })).toBe('first en all');
  });

  test('is made anew of each new reading, whichever it is', async () => {
    const { world, text } = setup();
    const [first, second] = READINGS;
    await text(READINGS, ENGLISH);
    expect(await text([{ of: 'next' }, second], ENGLISH)).toBe('next en all');
    await text([first, { of: 'next' }], ENGLISH);
    expect(world.made).toBe(3);
  });

  test('stays while others look at other readings: filters of the live tail have their own', async () => {
    const { world, text } = setup();
    const [first, second] = READINGS;
    const others: Readings = [{ of: 'other' }, second];
    for (let look = 0; look < 3; look++) {
      expect(await text([first, second], ENGLISH)).toBe('first en all');
      expect(await text(others, ENGLISH)).toBe('other en all');
    }
    expect(world.made).toBe(2);
  });

  test('that could not be made is made again for the next who asks', async () => {
    const { world, text } = setup();
    world.fails = true;
    await expect(text(READINGS, ENGLISH)).rejects.toThrow('away');
    world.fails = false;
    expect(await text(READINGS, ENGLISH)).toBe('first en all');
  });

  test('is kept for a bounded number of questions: what was asked for longest ago is let go of', async () => {
    const { world, text } = setup();
    for (let index = 0; index < 1000; index++) await text(READINGS, { language: 'en', instance: `${index}` });
    await text(READINGS, { language: 'en', instance: '999' });
    expect(world.made).toBe(1000);
    await text(READINGS, { language: 'en', instance: '0' });
    expect(world.made).toBe(1001);
  });
});
