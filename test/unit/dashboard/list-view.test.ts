import { pager } from '../../../src/dashboard/screens/list-view';

const shownBy = (offset: number, shown: number, total: number): string =>
  pager({ search: '', state: '', offset }, { action: '/list', shown, total, language: 'en' }).text;

describe('the pages of a list', () => {
  test('lead to those before and behind', () => {
    const text = shownBy(50, 50, 120);
    expect(text).toContain('51 to 100 of 120');
    expect(text).toContain('href="/list" rel="prev"');
    expect(text).toContain('href="/list?offset=100" rel="next"');
  });

  test('from far beyond the end lead back to the last one, and say that nothing is shown', () => {
    const text = shownBy(9_999_999, 0, 120);
    expect(text).toContain('0 to 0 of 120');
    expect(text).toContain('href="/list?offset=100" rel="prev"');
    expect(shownBy(9_999_999, 0, 0)).toContain('href="/list" rel="prev"');
  });
});
