import type { Command } from 'commander';
import { deliveriesCommand } from '../../../src/cli/deliveries-command';
import { destinationsCommand } from '../../../src/cli/destinations-command';
import { parkedCommand } from '../../../src/cli/parked-command';
import { publishCommand } from '../../../src/cli/publish-command';

/** Commander's own way of ending is to leave the process. */
function quietly(command: Command): Command {
  for (const each of [command, ...command.commands])
    each.exitOverride().configureOutput({ writeErr: () => {} });
  return command;
}

test.each<[args: string, make: () => Command, problem: RegExp]>([
  ['ls --outcome deliverd', deliveriesCommand, /one of delivered, parked, .*; did you mean delivered\?/],
  ['replay --all --outcome Dead', deliveriesCommand, /did you mean dead\?/],
  ['ls --state faling', destinationsCommand, /one of suspended, failing, .*; did you mean failing\?/],
  ['--core goo', publishCommand, /one of api, go; did you mean go\?/],
])('a misspelt word is refused with the one that was meant: %s', async (args, make, problem) => {
  await expect(quietly(make()).parseAsync(args.split(' '), { from: 'user' })).rejects.toThrow(problem);
});

test.each<[args: string, make: () => Command, meant: string]>([
  ['ls --reason HTTP_5O3', parkedCommand, 'HTTP_503'],
  ['ls --reason TIMEOT', deliveriesCommand, 'TIMEOUT'],
  ['replay --all --reason filterd', deliveriesCommand, 'filtered'],
])('a misspelt reason is refused before anything is looked for: %s', async (args, make, meant) => {
  await expect(quietly(make()).parseAsync(args.split(' '), { from: 'user' })).rejects.toMatchObject({
    details: [expect.stringContaining(`did you mean ${meant}?`)],
  });
});

test.each<[args: string, make: () => Command]>([
  ['ls --limit 0', destinationsCommand],
  ['ls --limit 0', parkedCommand],
  ['ls --limit 0', deliveriesCommand],
])('a list of nothing is refused, as over HTTP: %s', async (args, make) => {
  await expect(quietly(make()).parseAsync(args.split(' '), { from: 'user' })).rejects.toThrow(
    /whole number from 1/,
  );
});
