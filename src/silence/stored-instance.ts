import { HOURS_OF_WEEK, Rhythm } from './rhythm';
import { WatchedInstance, type WatchState } from './watched-instance';

/** Of the record's shape. */
const VERSION = 1;
const RATES_BYTES = HOURS_OF_WEEK * Float32Array.BYTES_PER_ELEMENT;
const FIELDS: readonly (keyof WatchState)[] = [
  'at',
  'lastMessageAt',
  'messagesThisHour',
  'heardThisHourMs',
  'pace',
  'paced',
  'usual',
  'longest',
  'silences',
  'excess',
  'others',
  'closedAt',
  'unwatched',
];
const STATE_AT = 1 + RATES_BYTES + HOURS_OF_WEEK;
const LENGTH = STATE_AT + FIELDS.length * Float64Array.BYTES_PER_ELEMENT;

/** An instance as text of about 1.2 KB: version, rates and weeks of each hour, state. */
export function pack({ rhythm, state }: WatchedInstance): string {
  const bytes = Buffer.alloc(LENGTH);
  bytes[0] = VERSION;
  for (let hour = 0; hour < HOURS_OF_WEEK; hour++) {
    bytes.writeFloatLE(rhythm.rates[hour] ?? 0, 1 + hour * 4);
    bytes[1 + RATES_BYTES + hour] = rhythm.weeks[hour] ?? 0;
  }
  for (const [index, field] of FIELDS.entries()) bytes.writeDoubleLE(state[field], STATE_AT + index * 8);
  return bytes.toString('base64');
}

/** Undefined where it is of another version, or no such record: the instance is learned anew. */
export function unpack(text: string): WatchedInstance | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes[0] !== VERSION || bytes.length !== LENGTH) return undefined;
  const rhythm = new Rhythm();
  for (let hour = 0; hour < HOURS_OF_WEEK; hour++) {
    rhythm.rates[hour] = bytes.readFloatLE(1 + hour * 4);
    rhythm.weeks[hour] = bytes[1 + RATES_BYTES + hour] ?? 0;
  }
  const { state } = WatchedInstance.new(0);
  for (const [index, field] of FIELDS.entries()) state[field] = bytes.readDoubleLE(STATE_AT + index * 8);
  return new WatchedInstance(rhythm, state);
}
