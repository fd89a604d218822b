import { LANGUAGES } from '../../../src/dashboard/language';
import { notSeenText } from '../../../src/dashboard/screens/deliveries-screen';
import { deliveryTexts } from '../../../src/dashboard/texts/delivery-texts';

const coverage = { since: Date.UTC(2026, 4, 10, 8), skipped: 0 };

test.each(LANGUAGES)(
  '%s: a search by outcome that finds nothing does not say that no such event came',
  (language) => {
    const { noneSkipped } = deliveryTexts[language];
    const said = (given: Readonly<Record<string, string>>, of = coverage): string =>
      notSeenText(of, given, language).text;
    expect(said({ message: '3EB0' })).toContain(noneSkipped);
    expect(said({ message: '3EB0', outcome: 'dead' })).not.toContain(noneSkipped);
    expect(said({ outcome: 'dead' }, { ...coverage, skipped: 7 })).toContain('7');
  },
);
