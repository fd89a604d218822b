import { MalformedEventError } from '../../../src/errors';
import { composeBody } from '../../../src/events/body';
import { eventLabel } from '../../../src/events/catalogue';
import { parseEnvelope, withId } from '../../../src/events/envelope';
import { filterOfNames } from '../../../src/events/event-names';
import { GO_CATALOGUE, GO_CATEGORIES } from '../../../src/events/go-catalogue';
import { nearestEvent } from '../../../src/events/nearest-event';
import { type DestinationId, deliveryId, destinationKey, eventIdOf } from '../../../src/pipeline/delivery';
import { route } from '../../../src/pipeline/route';
import { FakeDestination } from '../../support/harness/pipeline-harness';
import {
  envelopeOf,
  eventBody,
  fixture,
  goBody,
  goFixture,
  goFixtureNames,
} from '../../support/values/events';

const DESTINATION = Buffer.from('"https://receiver.example.test/"');

function codeOf(body: Buffer): readonly [code: string, text: string] {
  try {
    parseEnvelope(body, { routingKey: 'some.message', instance: 'exchange' });
  } catch (error) {
    if (error instanceof MalformedEventError) return [error.code, error.message];
    throw error;
  }
  return ['none', ''];
}

/** Whether an event reaches a destination that asked for these events. */
function reaches(body: Buffer, ...events: string[]): boolean {
  const destination = new FakeDestination('webhook:1');
  const subscription = { destination, key: destinationKey(destination.id), events: filterOfNames(events) };
  return route(envelopeOf(body), [subscription]).deliveries.length === 1;
}

describe('the body of evolution-go', () => {
  it.each(goFixtureNames())('%s is accepted as it is: the instance is instanceName', (name) => {
    const body = goFixture(name);
    const expected = JSON.parse(body.toString()) as Record<string, unknown>;
    expect(envelopeOf(body)).toMatchObject({
      core: 'go',
      event: expected['event'],
      instance: 'vendas',
      instanceId: '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10',
      dateTime: undefined,
    });
  });

  it.each(goFixtureNames())('%s reaches every destination to the byte, whatever is composed', (name) => {
    const body = goFixture(name);
    const envelope = envelopeOf(body);
    expect(composeBody(envelope, { stripApikey: false, destination: DESTINATION })).toEqual(body);
    expect(composeBody(envelope, { stripApikey: false })).toEqual(body);
    const others = { destination: DESTINATION, omitFromData: ['message', 'base64'] };
    expect(composeBody(envelope, { stripApikey: false, ...others })).toEqual(body);
  });

  it.each(['', ' \n\t'])(
    'with secrets stripped it lacks instanceToken and nothing else (before it: %j)',
    (space) => {
      for (const name of goFixtureNames()) {
        const text = goFixture(name).toString();
        const stripped = composeBody(envelopeOf(space + text), {
          stripApikey: true,
          destination: DESTINATION,
        });
        const { instanceToken: _secret, ...rest } = JSON.parse(text) as Record<string, unknown>;
        expect(stripped.toString().trim()).toBe(JSON.stringify(rest));
        expect(stripped.toString()).not.toContain('go-token');
      }
    },
  );

  it.each([
    ['no instanceName', { instanceName: undefined }],
    ['an empty one', { instanceName: '' }],
    ['one that is no text', { instanceName: 7 }],
    ['the token alone', { instanceName: undefined, instanceId: undefined }],
  ])('with %s can never be an event, and the reason says so without the secret', (_what, extra) => {
    const [code, text] = codeOf(goBody(extra));
    expect(code).toBe('INSTANCE_NAME_MISSING');
    expect(text).toContain('evolution-go');
    expect(text).not.toContain('go-token');
  });

  it('is recognised by the lack of `instance`: an extra key does not make it another core', () => {
    expect(envelopeOf(eventBody(1, { instanceId: 'x', instanceName: 'y' }))).toMatchObject({
      core: 'api',
      instance: 'loja-centro',
      instanceId: undefined,
    });
  });
});

describe('the identity of an event of evolution-go', () => {
  it('is another one for each emission of the same bytes; their content is the same', () => {
    const [first, second] = [envelopeOf(goBody()), envelopeOf(goBody())];
    expect(first.id).not.toBe(second.id);
    expect(first.contentKey).toBe(second.contentKey);
    expect(envelopeOf(goBody({ state: 'x' })).contentKey).not.toBe(first.contentKey);
  });

  it('is that of the message where its broker keeps one, also for a copy that comes again', () => {
    const by = (messageId: string) => parseEnvelope(goBody(), { routingKey: '' }, undefined, messageId);
    expect(by('a').id).toBe(by('a').id);
    expect(by('a').id).not.toBe(by('b').id);
    expect(by('a').contentKey).toBe(by('a').id);
  });

  it('is in the id of the delivery, from which a stored one is read again', () => {
    const envelope = envelopeOf(goBody());
    const id = deliveryId(envelope.id, destinationKey('webhook:global' as DestinationId));
    expect(withId(envelopeOf(goBody()), eventIdOf(id)).id).toBe(envelope.id);
  });

  it("does not change the core API's: its id is its content, whatever the broker says", () => {
    const envelope = parseEnvelope(eventBody(1), { routingKey: '' }, undefined, 'a');
    expect(envelope.id).toBe(envelope.contentKey);
    expect(envelope.id).toBe(envelopeOf(eventBody(1)).id);
  });
});

describe('names of events in lists and switches', () => {
  it.each(GO_CATALOGUE.map(({ event }) => event))('%s: by its name, in upper case, and by ALL', (event) => {
    const body = goBody({ event });
    expect(reaches(body, event)).toBe(true);
    expect(reaches(body, event.toUpperCase())).toBe(true);
    expect(reaches(body, 'ALL')).toBe(true);
    expect(reaches(body, 'MESSAGES_UPSERT')).toBe(false);
    expect(eventLabel(event)).toBe(event);
  });

  it.each(GO_CATALOGUE.flatMap(({ event, category }) => (category === undefined ? [] : [[event, category]])))(
    '%s: by its category %s, and by no other one',
    (event, category) => {
      const body = goBody({ event });
      expect(reaches(body, category)).toBe(true);
      expect(reaches(body, ...GO_CATEGORIES.filter((other) => other !== category))).toBe(false);
    },
  );

  it('a name to the letter is that event alone, although a category is called so, too', () => {
    expect(reaches(goBody({ event: 'PushName' }), 'Contact')).toBe(false);
    expect(reaches(goBody({ event: 'PushName' }), 'CONTACT')).toBe(true);
    expect(reaches(goBody({ event: 'QRTimeout' }), 'QRCode')).toBe(false);
  });

  it.each([
    ['CALL', 'call', 'CallOffer'],
    ['SEND_MESSAGE', 'send.message', 'SendMessage'],
  ])('%s means the events of both cores', (name, ofApi, ofGo) => {
    expect(reaches(eventBody(1, { event: ofApi }), name)).toBe(true);
    expect(reaches(goBody({ event: ofGo }), name)).toBe(true);
  });

  it('events that evolution-go gains later pass where their name, or everything, is asked for', () => {
    const body = goBody({ event: 'SomethingNew' });
    expect([reaches(body, 'SomethingNew'), reaches(body, 'ALL'), reaches(body, 'MESSAGE')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['5511988887777-1@g.us', 'GROUP', 'NEWSLETTER'],
    ['120363@newsletter', 'NEWSLETTER', 'GROUP'],
  ])('messages of %s reach subscribers of %s, too', (chat, category, other) => {
    const body = goBody({ event: 'Message', data: { Info: { Chat: chat } } });
    expect([reaches(body, category), reaches(body, other), reaches(body, 'MESSAGE')]).toEqual([
      true,
      false,
      true,
    ]);
    expect(reaches(goFixture('message'), category)).toBe(false);
  });

  it.each([[{}], [{ Info: 7 }], [{ Info: { Chat: 7 } }], [undefined]])('data without a chat: %j', (data) => {
    expect(reaches(goBody({ event: 'Message', data }), 'GROUP')).toBe(false);
  });

  it('a misspelt category is recognised', () => {
    expect(nearestEvent('READ_RECIPT')).toBe('READ_RECEIPT');
  });
});

it('extra root keys are accepted before the others and behind them, as 2.4 and 2.3.6 send them', () => {
  expect(envelopeOf(fixture('core-api-2.4/messages.set.json'))).toMatchObject({
    core: 'api',
    event: 'messages.set',
    instance: 'loja-centro',
  });
  const { isLatest, progress, ...rest } = JSON.parse(
    fixture('core-api-2.4/messages.set.json').toString(),
  ) as Record<string, unknown>;
  const last = JSON.stringify({ ...rest, isLatest, progress });
  expect(envelopeOf(last).id).toBe(envelopeOf(fixture('core-api-2.4/messages.set.json')).id);
});
