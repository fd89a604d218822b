import { QueueTroubles } from '../../../../src/sources/sqs/queue-troubles';

class Denied extends Error {
  readonly code = 'AccessDenied';
}
class Gone extends Error {
  readonly code = 'QueueDoesNotExist';
}

function setup() {
  const lines: string[] = [];
  const add = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log = { error: add('error'), warn: add('warn'), info: add('info'), debug: () => {}, isDebug: false };
  return { troubles: new QueueTroubles(log), lines };
}

test.each([
  ['denied', new Denied(), 'AccessDenied'],
  ['deleted', new Gone(), 'QueueDoesNotExist'],
])(
  'a queue that is %s is logged once, and once when it is well again (finding 9.7)',
  (_what, error, code) => {
    const { troubles, lines } = setup();
    for (let n = 0; n < 5; n++) troubles.failed('receive', 'https://sqs/1/loja_call', error);
    // Another action of the same queue works all the while.
    troubles.answered('attributes', 'https://sqs/1/loja_call');
    expect([lines.length, troubles.summary(() => true)]).toEqual([1, `in trouble: loja_call (${code})`]);
    expect(lines[0]).toContain('"queue":"https://sqs/1/loja_call"');
    troubles.answered('receive', 'https://sqs/1/loja_call');
    troubles.answered('receive', 'https://sqs/1/loja_call');
    expect([lines.length, troubles.summary(() => true)]).toEqual([2, undefined]);
  },
);

test('a queue that was left is no trouble any more', () => {
  const { troubles } = setup();
  troubles.failed('receive', 'https://sqs/1/loja_call', new Gone());
  expect(troubles.summary(() => false)).toBeUndefined();
  troubles.failed('list', 'loja_', new Denied());
  expect(troubles.summary(() => false)).toBe('in trouble: the list of queues (AccessDenied)');
});

test('10,000 queues that fail alike are a few lines, and all are counted', () => {
  const { troubles, lines } = setup();
  for (let n = 0; n < 10_000; n++) troubles.failed('receive', `https://sqs/1/i${n}_call`, new Denied());
  expect([lines.length, troubles.summary(() => true)]).toEqual([
    10,
    'in trouble: i9999_call (AccessDenied) and 9999 more',
  ]);
  for (let n = 0; n < 10_000; n++) troubles.answered('receive', `https://sqs/1/i${n}_call`);
  expect([lines.length, troubles.summary(() => true)]).toEqual([20, undefined]);
});

test('a service that is away is one line, whatever the queues', () => {
  const { troubles, lines } = setup();
  for (let n = 0; n < 100; n++) troubles.failed('receive', `q${n}`, new Error('away'));
  expect([lines.length, troubles.summary(() => true)]).toEqual([1, undefined]);
});
