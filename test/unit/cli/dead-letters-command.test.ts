import { deadLettersCommand } from '../../../src/cli/dead-letters-command';

test.each(['ls', 'replay', 'rm'])(
  'dead-letters %s refuses a filter that names what does not exist: "0" would be taken for the answer',
  async (verb) => {
    const command = deadLettersCommand();
    const given = [verb, '--reason', 'rejectd', '--destination', 'webhook:globl'];
    await expect(command.parseAsync(given, { from: 'user' })).rejects.toMatchObject({
      details: [
        expect.stringMatching(/^reason: there is none called rejectd/),
        expect.stringMatching(/^destination: webhook:globl is none/),
      ],
    });
  },
);
