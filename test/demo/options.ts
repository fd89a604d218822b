import { Command, InvalidArgumentError, Option } from 'commander';

export interface Options {
  readonly events: number;
  readonly keep: boolean;
  readonly source: 'rabbitmq' | 'sqs';
}

export function parseOptions(argv: readonly string[]): Options {
  return new Command('npm run demo --')
    .description(
      'Events through a broker and the relay to three receivers, of which two fail; all of them counted.',
    )
    .option('--events <n>', 'how many', parseCount, 1000)
    .addOption(new Option('--source <broker>', 'the broker').choices(['rabbitmq', 'sqs']).default('rabbitmq'))
    .option('--keep', 'leave everything running until Ctrl-C, and print the addresses', false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse(argv)
    .opts<Options>();
}

function parseCount(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new InvalidArgumentError('must be a whole number from 1 to 9999999');
  return Number(text);
}
