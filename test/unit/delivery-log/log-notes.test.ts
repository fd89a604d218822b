import { LogNotes, type Noted } from '../../../src/delivery-log/log-notes';
import type { NewRecord } from '../../../src/delivery-log/log-segment';
import { DELIVERED, FakeDestination } from '../../support/harness/pipeline-harness';
import { deliveryTo, fixture } from '../../support/values/events';

const MARINA = '5511988887777@s.whatsapp.net';

describe('what is noted in the delivery log', () => {
  const noted: NewRecord[] = [];
  const sink = { note: (each: Noted) => void noted.push(each.record()), hasRoomForBody: () => true };
  const notes = new LogNotes({ sink, slowAfterMs: 1000, withBodies: false });
  const delivery = deliveryTo(new FakeDestination(), fixture('messages.upsert.json'));
  const { id, envelope } = delivery;
  beforeEach(() => noted.splice(0));

  test('an attempt: with the message and the chat, as the first that is known of a fresh delivery', () => {
    const fresh = { ...delivery, envelope: { ...envelope, since: 1 } };
    notes.attemptEnded(fresh, { attempt: 1, at: 5, durationMs: 7, outcome: DELIVERED });
    const { instance, event } = envelope;
    expect(noted).toMatchObject([
      {
        entry: { what: 'delivered', id, instance, event, durationMs: 7 },
        key: { chat: MARINA },
        isFirst: true,
      },
    ]);
  });

  test('what a condition left out, with its destination', () => {
    notes.filtered(delivery);
    expect(noted).toMatchObject([
      {
        entry: { what: 'discarded', code: 'filtered', id, destination: 'webhook:fake' },
        key: { chat: MARINA },
      },
    ]);
  });

  test('an event that nobody wanted, under its own id', () => {
    notes.unwanted(envelope);
    expect(noted).toMatchObject([
      { entry: { what: 'discarded', code: 'no-destination', id: `evt_${envelope.id}`, destination: '' } },
    ]);
  });

  test('a failure says itself why the delivery is parked', () => {
    notes.parked(delivery, 'failed');
    notes.parked(delivery, 'circuit-open');
    expect(noted).toMatchObject([{ entry: { what: 'parked', code: 'circuit-open' } }]);
  });
});
