import { gzipSync } from 'node:zlib';
import { envelopeOf, eventBody } from '../../support/values/events';

const sns = { Type: 'Notification', MessageId: 'x', TopicArn: 'arn:aws:sns:x', Message: '{"event":"call"}' };
const eventBridge = { version: '0', 'detail-type': 'x', source: 'x', detail: { event: 'call' } };

describe('a body that something has wrapped says what to do about it (finding 7.9)', () => {
  test.each<[string, Buffer | string, string, RegExp]>([
    ['an envelope of SNS', JSON.stringify(sns), 'EVENT_MISSING', /raw message delivery/],
    ['an envelope of EventBridge', JSON.stringify(eventBridge), 'EVENT_MISSING', /input path/],
    ['a compressed body', gzipSync(eventBody(1)), 'BODY_NOT_UTF8', /gzip/],
    ['any other', '{"a":1}', 'EVENT_MISSING', /names the event$/],
  ])('%s', (_what, body, code, text) => {
    expect(() => envelopeOf(body)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(text) }),
    );
  });
});
