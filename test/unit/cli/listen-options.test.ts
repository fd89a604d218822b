import { UsageError } from '../../../src/cli/exit';
import { listenCommand } from '../../../src/cli/listen-command';

const FORWARD = ['--forward', 'http://localhost:5678/webhook'];

test.each([
  ['no address', [], /--forward/],
  ['an address that is none', ['--forward', 'ftp://x'], /must be an address that starts with http/],
  ['a filter that is no JSON', [...FORWARD, '--filter', '{'], /must be JSON/],
  ['an operator that there is not', [...FORWARD, '--filter', '{"a":{"$regex":"x"}}'], /filter\.a.*\$regex/],
  ['a header that is none', [...FORWARD, '--header', 'nothing'], /must be name:value/],
  ['a header that cannot be sent', [...FORWARD, '--header', 'x y:z'], /must be name:value/],
  ['an event that there is not', [...FORWARD, '--events', 'MESAGES_UPSERT'], /did you mean MESSAGES_UPSERT/],
  [
    'the same in its other spelling',
    [...FORWARD, '--events', 'mesages.upsert'],
    /did you mean messages\.upsert/,
  ],
  ['an event like no other', [...FORWARD, '--events', 'nope'], /nope is no event; names are such as/],
  ['a port that nothing listens on', ['--forward', 'http://x:0/'], /must be an address with a port from 1/],
  ['a list of events with a hole', [...FORWARD, '--events', 'CALL,,'], /comma-separated/],
] as const)('%s is refused before anything is connected to', async (_what, args, text) => {
  let said = '';
  const command = listenCommand()
    .exitOverride()
    .configureOutput({
      writeErr: (each) => {
        said += each;
      },
    });
  await expect(command.parseAsync([...args], { from: 'user' })).rejects.toMatchObject({ exitCode: 1 });
  expect(said).toMatch(text);
});

test.each([
  ['--secret', 'short', /^--secret: must be base64/],
  ['--token', 'two\nlines', /^--token: .*ASCII characters/],
])('%s that is none is refused, and not repeated: it may be most of one', async (option, value, text) => {
  const refused = listenCommand()
    .exitOverride()
    .parseAsync([...FORWARD, option, value], { from: 'user' });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(text);
  await expect(refused).rejects.not.toThrow(value);
});
