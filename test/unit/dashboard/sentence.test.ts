import { LANGUAGES } from '../../../src/dashboard/language';
import { sentenceView } from '../../../src/dashboard/screens/sentence-view';
import { type Sentence, type Situation, sentenceOf, severityOf } from '../../../src/dashboard/sentence';
import { causeTexts } from '../../../src/dashboard/texts/cause-texts';
import type { DestinationHealth } from '../../../src/health/destination-list';
import type { DestinationId } from '../../../src/pipeline/delivery';

const NOW = 10_000_000;
const FLOW = { difference: 0, reportedMsAgo: 1000, queues: [] };
const CALM: Situation = { now: NOW, flow: FLOW, destinations: [], silent: new Map(), newlyDead: 0 };

function destination(name: string, rest: Partial<DestinationHealth>): DestinationHealth {
  return { id: `webhook:instance/${name}` as DestinationId, state: 'well', waiting: 0, ...rest };
}

const FAILING = destination('loja', {
  state: 'failing',
  since: 1,
  waiting: 3,
  code: 'HTTP_503',
  nextAttempt: NOW + 1,
});
const BUSY = destination('bar', { state: 'failing', since: 2, waiting: 9 });
const SUSPENDED = destination('old', { state: 'suspended', since: 3, by: 'person', waiting: 99 });
const REJECTING = destination('n8n', { state: 'rejecting', since: 4, code: 'HTTP_404', status: 404 });
const WAITING = destination('slow', { state: 'waiting', waiting: 4 });
const SILENT = new Map([
  ['b', { since: 5, why: 'rhythm' as never }],
  ['a', { since: 4, why: 'rhythm' as never }],
]);

const CASES: readonly (readonly [string, Partial<Situation>, Sentence])[] = [
  ['nothing is wrong', {}, { kind: 'well' }],
  [
    'no worker has ever reported',
    { flow: { ...FLOW, reportedMsAgo: undefined }, destinations: [FAILING] },
    { kind: 'no-worker', msAgo: undefined },
  ],
  [
    'no worker reports any more',
    { flow: { ...FLOW, reportedMsAgo: 60_000, difference: 3 } },
    { kind: 'no-worker', msAgo: 60_000 },
  ],
  [
    'the audit does not add up',
    { flow: { ...FLOW, difference: -2 }, destinations: [FAILING] },
    { kind: 'difference', count: -2 },
  ],
  [
    'of several that fail the one for which most wait comes first',
    { destinations: [FAILING, BUSY], silent: SILENT },
    { kind: 'failing', destination: BUSY, others: 1 },
  ],
  [
    'what a person suspended is named only where nothing else is wrong with destinations',
    { destinations: [SUSPENDED, FAILING] },
    { kind: 'failing', destination: FAILING, others: 1 },
  ],
  [
    'a destination is suspended',
    { destinations: [SUSPENDED] },
    { kind: 'suspended', destination: SUSPENDED, others: 0 },
  ],
  [
    'one rejects everything',
    { destinations: [SUSPENDED, REJECTING, WAITING], newlyDead: 40, silent: SILENT },
    { kind: 'rejecting', destination: REJECTING, others: 1 },
  ],
  [
    'one fails beside one that rejects everything',
    { destinations: [FAILING, REJECTING] },
    { kind: 'failing', destination: FAILING, others: 1 },
  ],
  [
    'nobody reads a queue',
    { flow: { ...FLOW, queues: [{ queue: 'q', messages: 7, consumers: 0 }] }, silent: SILENT },
    { kind: 'unread', queue: 'q', messages: 7 },
  ],
  [
    'an empty queue without consumers, and one of which they are not known, say nothing',
    {
      flow: {
        ...FLOW,
        queues: [
          { queue: 'q', messages: 0, consumers: 0 },
          { queue: 'r', messages: 5 },
        ],
      },
    },
    { kind: 'well' },
  ],
  [
    'the instance that is silent longest',
    { silent: SILENT, newlyDead: 4 },
    { kind: 'silent', instance: 'a', since: 4, others: 1 },
  ],
  [
    'deliveries were given up on lately',
    { newlyDead: 4, destinations: [WAITING] },
    { kind: 'dead', count: 4 },
  ],
  [
    'deliveries wait',
    { destinations: [WAITING], newlyDead: undefined },
    { kind: 'waiting', count: 4, destinations: 1 },
  ],
  [
    'an instance sees its own',
    { flow: undefined, destinations: [FAILING] },
    { kind: 'failing', destination: FAILING, others: 0 },
  ],
];

/** One for each cause. */
const UNANSWERED = [
  ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'TIMEOUT', 'EHOSTUNREACH', 'CERT_HAS_EXPIRED'],
  ...['ERR_SSL_WRONG_VERSION_NUMBER', 'ADDRESS_REFUSED', 'PROXY_REFUSED', 'ANSWER_TOO_LARGE'],
];

describe('the sentence', () => {
  test.each(CASES)('where %s', (_name, situation, expected) => {
    expect(sentenceOf({ ...CALM, ...situation })).toEqual(expected);
  });

  test.each(LANGUAGES)('is there for each case in %s, and none says what is not there', (language) => {
    for (const [, situation] of CASES) {
      const { text } = sentenceView(sentenceOf({ ...CALM, ...situation }), language);
      expect(text).not.toMatch(/undefined|\[object|NaN/);
      expect(text.length).toBeGreaterThan(30);
    }
  });

  test('in Portuguese names who refuses, why, how many wait and when the next attempt is', () => {
    const { text } = sentenceView(sentenceOf({ ...CALM, destinations: [FAILING] }), 'pt-BR');
    expect(text).toMatch(
      /loja · webhook<\/a> recusa desde <time .*\(HTTP_503\)\. 3 em espera; a próxima tentativa é às <time/,
    );
  });

  test.each([
    [
      'en',
      /n8n · webhook<\/a> has rejected every event since <time .*\(HTTP_404\): they become dead letters\. Correct its address, or switch on what answers there \(such as an n8n workflow\), then replay them\.</,
    ],
    [
      'pt-BR',
      /n8n · webhook<\/a> recusa todos os eventos desde <time .*\(HTTP_404\): as entregas são abandonadas\. Corrija o endereço, ou ative o que responde lá \(como um workflow do n8n\), e depois reenvie-as\.</,
    ],
    [
      'es',
      /n8n · webhook<\/a> rechaza todos los eventos desde <time .*\(HTTP_404\): las entregas se abandonan\. Corrija la dirección, o active lo que responde allí \(como un workflow de n8n\), y después reenvíelas\.</,
    ],
  ] as const)(
    'in %s says who rejects everything, with what, since when and what to do',
    (language, words) => {
      const { text } = sentenceView(sentenceOf({ ...CALM, destinations: [REJECTING] }), language);
      expect(text).toMatch(words);
    },
  );

  describe.each([
    ['en', 'has taken nothing since', 'has refused'],
    ['pt-BR', 'não recebe nada desde', 'recusa'],
    ['es', 'no recibe nada desde', 'rechaza'],
  ] as const)('in %s', (language, takesNothing, refuses) => {
    const textWith = (code: string): string => {
      const failing = destination('loja', { ...FAILING, code });
      return String(sentenceView(sentenceOf({ ...CALM, destinations: [failing] }), language).text);
    };

    test.each(UNANSWERED)('of one that did not answer (%s) says why, and not that it refuses', (code) => {
      const text = textWith(code);
      expect(text).toMatch(new RegExp(`${takesNothing} <time .*>: [^(<]{20,} \\(${code}\\)\\. 3 `));
      expect(text).not.toContain(refuses);
    });

    test('has different words for each', () => {
      expect(new Set(UNANSWERED.map((code) => textWith(code).replace(code, ''))).size).toBe(
        UNANSWERED.length,
      );
    });

    test('of one that is suspended as nothing succeeds says why', () => {
      const long = destination('loja', { state: 'suspended', since: 1, by: 'time', code: 'ENOTFOUND' });
      const { text } = sentenceView(sentenceOf({ ...CALM, destinations: [long] }), language);
      expect(text).toContain(causeTexts[language]['name-unknown']);
    });
  });

  test('is as bad as what it says', () => {
    expect(severityOf({ kind: 'well' })).toBe('well');
    expect(severityOf({ kind: 'dead', count: 1 })).toBe('odd');
    expect(severityOf({ kind: 'difference', count: 1 })).toBe('bad');
    expect(severityOf({ kind: 'rejecting', destination: REJECTING, others: 0 })).toBe('bad');
  });
});
