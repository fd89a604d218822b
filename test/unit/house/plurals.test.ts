import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LANGUAGES } from '../../../src/dashboard/language';
import { deadLetterTexts } from '../../../src/dashboard/texts/dead-letter-texts';
import { deliveryTexts } from '../../../src/dashboard/texts/delivery-texts';
import { oneDestinationTexts } from '../../../src/dashboard/texts/one-destination-texts';
import { sentenceTexts } from '../../../src/dashboard/texts/sentence-texts';
import { settingsFormTexts } from '../../../src/dashboard/texts/settings-form-texts';
import { counted } from '../../../src/plural';

const SRC = join(__dirname, '../../../src');
const MANY =
  'deliveries|letters|events|messages|consumers|queues|instances|replicas|records|gaps|destinations|days|characters|lines|apps|origins|workers|clients|attempts|seconds|minutes|items|entregas|eventos|mensagens|mensajes|destinos|registros|anotaciones';
/** A number that is not known yet, and a plural that stands beside it whatever it is. Constants are known. */
const FIXED = new RegExp(
  `\\$\\{(?![A-Z_.]+\\})[^}]*\\} (?:(?:more|dead|recent|further|other) )?(?:${MANY})\\b`,
  'g',
);

it('what stands beside a number goes with it: 1 queue, 2 queues (plural.ts, byCount)', () => {
  const fixed = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => readFileSync(join(SRC, name), 'utf8').match(FIXED) ?? []);
  expect(fixed).toEqual([]);
});

it('counted', () => {
  expect([counted(1, 'queue'), counted(0, 'queue'), counted(2, 'day is', 'days are')]).toEqual([
    '1 queue',
    '0 queues',
    '2 days are',
  ]);
});

test.each(LANGUAGES)('the dashboard’s texts of one have no plural: %s', (language) => {
  const sentence = sentenceTexts[language];
  const texts = [
    sentence.difference('1'),
    sentence.others('1'),
    sentence.unread('queue', '1'),
    sentence.otherSilent('1'),
    sentence.dead('1'),
    sentence.waiting('1', '1'),
    deliveryTexts[language].skipped('1'),
    deadLetterTexts[language].confirmReplay('1', '1'),
    deadLetterTexts[language].confirmRemove('1'),
    oneDestinationTexts[language].previewed('1', '1', '1'),
    settingsFormTexts[language].tried('1', '1'),
  ];
  const plural =
    /\b(?:1 deliveries|messages|records|events|are|were|do not|entregas (?:esperam|esperan)|faltam|faltan|esperam|esperan|mensagens|mensajes|seriam|serían|entregarían|eliminarían|omitieron|foram|correspondem|coinciden|eventos|recebem|reciben|podem|pueden)\b/;
  for (const text of texts) expect(text).not.toMatch(plural);
});
