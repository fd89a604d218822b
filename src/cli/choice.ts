import { InvalidArgumentError, Option } from 'commander';
import { didYouMean } from '../events/nearest-name';

/** An option that takes one of a few words; another one is refused with the word that was probably meant. */
export function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).argParser((text: string) => {
    if (words.includes(text)) return text;
    throw new InvalidArgumentError(`must be one of ${words.join(', ')}${didYouMean(text, words)}`);
  });
}
