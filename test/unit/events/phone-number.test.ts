import { meantNumbers, numbersOf } from '../../../src/events/phone-number';

describe('one person has two numbers', () => {
  test.each([
    ['of Brazil, before and after the ninth digit', '5531988887777', '553188887777'],
    ['of Mexico, with and without the 1 that is dialled from abroad', '5215512345678', '525512345678'],
    ['of Argentina, with and without the 9', '5491123456789', '541123456789'],
  ])('%s', (_what, long, short) => {
    expect([numbersOf(long), numbersOf(short)]).toEqual([
      [long, short],
      [short, long],
    ]);
  });

  test.each([
    ['a fixed line of Brazil', '551132345678'],
    ['a number of another country', '4915112345678'],
    ['a group', '120363000000000001'],
  ])('but not %s', (_what, number) => {
    expect(numbersOf(number)).toEqual([number]);
  });
});

describe('a person who writes a number means', () => {
  const both = ['5531988887777', '553188887777'];

  test.each([
    '5531988887777',
    '+55 (31) 98888-7777',
    '\u202a+55 31 98888\u20117777\u202c',
    '0055 31 98888 7777',
    'tel:+55-31-98888-7777',
    'https://wa.me/5531988887777',
    'wa.me/5531988887777?text=Ol%C3%A1%2C%20tudo%20bem%3F',
    'https://wa.me/+5531988887777/',
    '+55 (031) 98888-7777',
    '55 031 98888-7777',
  ])('that number, with its country: %s', (written) => {
    expect(meantNumbers(written)).toEqual(both);
  });

  test.each(['31 98888-7777', '(031) 98888-7777', '31988887777'])(
    'perhaps a number of Brazil, without its country: %s',
    (written) => {
      expect(meantNumbers(written)).toEqual(expect.arrayContaining(both));
    },
  );

  test('no number of Brazil where the country is named', () => {
    expect(meantNumbers('+31 988887777')).toEqual(['31988887777']);
  });

  test.each(['', '@', 'loja', '5531988887777@s.whatsapp.net', '99887766554433@lid'])(
    'no number: %j',
    (written) => {
      expect(meantNumbers(written)).toBeUndefined();
    },
  );
});
