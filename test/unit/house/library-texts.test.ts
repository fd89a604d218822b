import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SRC = join(__dirname, '../../../src');
/** Where errors of libraries become errors of ours, or Redis's answer is read. */
const TRANSLATORS = ['errors.ts', 'redis/reply-error.ts', 'sources/rabbitmq/amqp-text.ts'];
/** The text of a thrown value, whatever its class. */
const TEXT_OF_AN_ERROR = /\b(?:error|err|cause|reason|failure|fault)\.message\b/;

it('the text of an error is read by the translators alone, so that no text of a library reaches anybody', () => {
  const reading = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) => TEXT_OF_AN_ERROR.test(readFileSync(join(SRC, name), 'utf8')))
    .map((name) => name.replaceAll('\\', '/'));
  expect(reading.sort()).toEqual(TRANSLATORS);
});
