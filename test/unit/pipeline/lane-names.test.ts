import type { LaneId } from '../../../src/pipeline/delivery';
import type { Ordered } from '../../../src/pipeline/destination-limits';
import { LaneNames } from '../../../src/pipeline/lane-names';
import { envelopeOf } from '../../support/values/events';

const NUMBER = '5511988887777@s.whatsapp.net';
const LID = '99887766554433@lid';
const KEY = 'abcdefgh';

let names: LaneNames;
beforeEach(() => {
  names = new LaneNames();
});

function laneOf(key: object, instance = 'loja', ordered: Ordered = 'chat', destination = KEY): LaneId {
  const body = JSON.stringify({ event: 'messages.upsert', instance, data: { key } });
  return names.of(envelopeOf(body), destination, ordered);
}

describe('lanes', () => {
  test('of chats: each chat of each instance has its own, at each destination', () => {
    const lanes = [
      laneOf({ remoteJid: NUMBER }),
      laneOf({ remoteJid: '5511900000000@s.whatsapp.net' }),
      laneOf({ remoteJid: NUMBER }, 'outra'),
      laneOf({ remoteJid: NUMBER }, 'loja', 'chat', 'hgfedcba'),
      laneOf({}),
    ];
    expect(new Set(lanes).size).toBe(lanes.length);
    expect(laneOf({ remoteJid: NUMBER })).toBe(lanes[0]);
  });

  test('of chats whose names have spaces: what one instance says teaches no other one', () => {
    const lane = laneOf({ remoteJid: 'a b@lid' }, 'c');
    laneOf({ remoteJid: NUMBER, remoteJidAlt: 'a b@lid' }, 'c');
    const other = laneOf({ remoteJid: 'x@lid' }, 'y@lid loja');
    laneOf({ remoteJid: NUMBER, remoteJidAlt: 'x@lid y@lid' }, 'loja');
    expect(laneOf({ remoteJid: 'a b@lid' }, 'c')).not.toBe(lane);
    expect(laneOf({ remoteJid: 'x@lid' }, 'y@lid loja')).toBe(other);
  });

  test('of instances: all events of an instance have one, that of events about no chat', () => {
    expect(laneOf({ remoteJid: NUMBER }, 'loja', 'instance')).toBe(laneOf({}));
    expect(laneOf({ remoteJid: NUMBER }, 'outra', 'instance')).not.toBe(laneOf({}));
  });

  test('a chat is one under its number and its LID, as soon as an event has named both', () => {
    const lane = laneOf({ remoteJid: NUMBER, remoteJidAlt: LID });
    expect(laneOf({ remoteJid: NUMBER })).toBe(lane);
    expect(laneOf({ remoteJid: LID })).toBe(lane);
    expect(laneOf({ remoteJid: LID, remoteJidAlt: NUMBER })).toBe(lane);
    expect(laneOf({ remoteJid: LID }, 'outra')).not.toBe(lane);
  });
});
