import { nearestEvent } from '../../../src/events/nearest-event';
import { MODULES } from '../../../src/modules';
import {
  filterOf,
  knownFilterOf,
  parseSettings,
  unknownEventProblems,
  unknownEvents,
} from '../../../src/settings/document';
import { exchangeProblem } from '../../../src/sources/rabbitmq/rabbitmq-section';
import { settingsOf } from '../../support/values/parsed-settings';

describe('names of events', () => {
  it.each([
    ['MESSAGE_UPSERT', 'MESSAGES_UPSERT'],
    ['messages.upsrt', 'MESSAGES_UPSERT'],
    ['CALLS', 'CALL'],
    ['QR_CODE_UPDATED', 'QRCODE_UPDATED'],
  ])('%s was probably meant as %s', (name, known) => {
    expect(nearestEvent(name)).toBe(known);
  });

  it.each(['nope', 'READ', 'x', '', 'MESSAGES_FROM_MY_GRANDMOTHER', 'ALLES'])(
    '%j was meant as none',
    (name) => {
      expect(nearestEvent(name)).toBeUndefined();
    },
  );

  it('are found in every list of a document (finding 1.10)', () => {
    const url = 'https://a.test/';
    const events = ['CALL', 'MADE_UP'];
    const document = {
      webhook: { url, events },
      webhooks: { n: { url, events } },
      websocket: { events },
      rabbitmq: { events },
      sqs: { events },
      pusher: { appId: '1', key: 'k', secret: 's', cluster: 'eu', events },
    };
    const paths = unknownEvents(MODULES.sections, settingsOf(document)).map(({ path }) => path);
    expect(paths.sort()).toEqual(
      ['pusher', 'rabbitmq', 'sqs', 'webhook', 'webhooks.n', 'websocket'].map((name) => `${name}.events`),
    );
    expect(unknownEventProblems([{ path: 'sqs.events', event: 'CALLS' }])).toEqual([
      'sqs.events: CALLS is no event; did you mean CALL?',
    ]);
  });

  it.each([
    ['MESSAGE_UPSERT', '; did you mean MESSAGES_UPSERT?'],
    ['READ_RECIEPT', '; did you mean READ_RECEIPT?'],
    ['MADE_UP', ''],
  ])('%s is kept with a warning, which says what was probably meant', (event, meant) => {
    const parsed = parseSettings(MODULES.sections, { websocket: { events: [event] } });
    expect(parsed.ok && parsed.warnings).toEqual([
      `websocket.events: ${event} is none of the events known; it is kept${meant}`,
    ]);
  });

  it('that are unknown make nothing at a broker, and pass as they did elsewhere (finding 1.10)', () => {
    expect(knownFilterOf(['MADE_UP', 'messages.upsert'])).toEqual(new Set(['MESSAGES_UPSERT']));
    expect(knownFilterOf(['MADE_UP'])).toEqual(new Set());
    expect(knownFilterOf([])).toBe('all');
    expect(filterOf(['MADE_UP'])).toEqual(new Set(['MADE_UP']));
  });
});

describe('names of instances whose exchange is consumed (finding 2.2)', () => {
  const OF_OPERATOR = { exchange: 'evolution_exchange', furtherExchanges: ['more'] };

  it.each<[string, string, 'dedicated' | 'shared', string[], boolean]>([
    ['an ordinary one', 'loja', 'shared', [], true],
    ['255 bytes', 'n'.repeat(255), 'dedicated', [], true],
    ['256 bytes', 'n'.repeat(256), 'dedicated', [], false],
    ['90 characters of three bytes', '日'.repeat(90), 'dedicated', [], false],
    ['245 characters with every event in shared mode', 'n'.repeat(245), 'shared', [], false],
    ['245 characters with a short event in shared mode', 'n'.repeat(245), 'shared', ['CALL'], true],
    ['a name of the broker’s', 'amq.loja', 'dedicated', [], false],
    [
      'the name of the global exchange, which the worker leaves out',
      'evolution_exchange',
      'shared',
      [],
      false,
    ],
    ['the name of another exchange of the operator’s', 'more', 'dedicated', [], false],
  ])('%s', (_what, instance, mode, events, fits) => {
    const config = { ...OF_OPERATOR, consume: mode };
    expect(exchangeProblem(instance, { enabled: true, events }, config) === undefined).toBe(fits);
    expect(exchangeProblem(instance, { enabled: false, events }, config)).toBeUndefined();
  });
});
