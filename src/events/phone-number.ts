/** What stands before a number in a link or a contact. */
const LINK = /^(?:tel:|(?:https?:\/\/)?wa\.me\/)/i;
/** What stands behind it, such as the text of a message that a link proposes. */
const LINKED = /[/?#;].*$/s;
const NUMBER_ONLY = /^\d+$/;
const NEITHER_LETTER_NOR_DIGIT = /[^0-9A-Za-z]/g;
const INTERNATIONAL = /^(?:\+|00)/;
const BRAZIL = '55';
/** Many write the zero behind the country, too. */
const ZERO_BEHIND_BRAZIL = /^((?:00)?55)0(?=[1-9]{2}[2-9]\d{7,8}$)/;
/** An area code and a number of Brazil as people write it there, with a zero before it or without. */
const OF_BRAZIL = /^0?([1-9]{2}(?:9\d{8}|[2-9]\d{7}))$/;

/**
 * Two lengths of one number: the digit between the parts was introduced later, or is dialled from abroad. WhatsApp goes on calling many
 * people by the number without it, and nobody who looks for them knows which. The second half of a mobile number of Brazil begins with
 * 6 to 9; others are of fixed lines, to which no digit was added.
 */
const TWO_LENGTHS: readonly (readonly [country: string, digit: string, before: string, after: string])[] = [
  [BRAZIL, '9', '[1-9]{2}', '[6-9]\\d{7}'],
  ['52', '1', '', '\\d{10}'],
  ['54', '9', '', '\\d{10}'],
];
const FORMS = TWO_LENGTHS.flatMap(([country, digit, before, after]) => [
  { pattern: new RegExp(`^${country}(${before})${digit}(${after})$`), country, digit: '' },
  { pattern: new RegExp(`^${country}(${before})(${after})$`), country, digit },
]);

/** This number, digits with their country code, and the other one that WhatsApp may know the same person by. */
export function numbersOf(number: string): readonly string[] {
  for (const { pattern, country, digit } of FORMS) {
    const [, before, after] = pattern.exec(number) ?? [];
    if (before !== undefined && after !== undefined) return [number, country + before + digit + after];
  }
  return [number];
}

/**
 * The numbers that a person may mean by what was written: signs between digits do not matter, nor whether `+` or `00` stands before
 * them. Without either it may also be a number of Brazil that lacks its country. Undefined for what is no number.
 */
export function meantNumbers(written: string): readonly string[] | undefined {
  const trimmed = written.trim();
  const text = LINK.test(trimmed) ? trimmed.replace(LINK, '').replace(LINKED, '') : trimmed;
  const digits = text.replace(NEITHER_LETTER_NOR_DIGIT, '').replace(ZERO_BEHIND_BRAZIL, '$1');
  if (!NUMBER_ONLY.test(digits) || text.includes('@')) return undefined;
  const visible = text.replace(/^[^+\d]+/, '');
  if (INTERNATIONAL.test(visible)) return numbersOf(digits.replace(/^00/, ''));
  const [, national] = OF_BRAZIL.exec(digits) ?? [];
  return [...numbersOf(digits), ...(national === undefined ? [] : numbersOf(BRAZIL + national))];
}
