import { times as timesOfLetter } from '../../../src/cli/dead-letters-command';
import { printListing } from '../../../src/cli/listing';
import { times as timesOfParked } from '../../../src/cli/parked-command';

/** What a list of so many items says on both streams. */
function listing(count: number, json: boolean): { out: string; err: string } {
  const said = { out: '', err: '' };
  const streams = [
    [process.stdout, 'out'],
    [process.stderr, 'err'],
  ] as const;
  const spies = streams.map(([stream, name]) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  const found = Array.from({ length: count }, (_, index) => ({ id: `dlv_${index}` }));
  const rowOf = ({ id }: { readonly id: string }): string[] => [id];
  const times = () => timesOfLetter({ at: 0 });
  printListing({ what: 'dead letters', found, limit: 2, head: ['ID'], rowOf, json, times });
  for (const spy of spies) spy.mockRestore();
  return said;
}

describe('a list on the command line', () => {
  test.each([false, true])('says that nothing was found (JSON: %s)', (json) => {
    expect(listing(0, json)).toEqual({ out: json ? '' : 'ID\n', err: 'no dead letters found\n' });
  });

  test.each([false, true])(
    'says that it goes on, as its end would be taken for that of the list (JSON: %s)',
    (json) => {
      const { out, err } = listing(3, json);
      expect(err).toBe('there are more than these 2: --limit shows more of them\n');
      expect(out).not.toContain('dlv_2');
    },
  );

  test('says nothing where everything is shown', () => {
    expect(listing(2, false)).toEqual({ out: 'ID\ndlv_0\ndlv_1\n', err: '' });
  });

  test('has times in JSON as the table has them, beside the numbers that scripts read', () => {
    expect(JSON.parse(listing(1, true).out)).toEqual({ id: 'dlv_0', since: '1970-01-01T00:00:00.000Z' });
    const since = '1970-01-01T00:00:01.000Z';
    expect(timesOfParked({ at: 1000, dueAt: 2000 })).toEqual({ since, due: '1970-01-01T00:00:02.000Z' });
    expect(timesOfParked({ at: 1000, dueAt: undefined })).toEqual({ since });
  });
});
