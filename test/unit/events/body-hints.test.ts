import { deflateSync, gzipSync } from 'node:zlib';
import { envelopeOf, eventBody } from '../../support/values/events';

const sns = { Type: 'Notification', MessageId: 'x', TopicArn: 'arn:aws:sns:x', Message: '{"event":"call"}' };
const eventBridge = { version: '0', 'detail-type': 'x', source: 'x', detail: { event: 'call' } };

describe('a body that something has wrapped says what to do about it (finding 7.9)', () => {
  test.each<[string, Buffer | string, string, RegExp]>([
    ['an envelope of SNS', JSON.stringify(sns), 'EVENT_MISSING', /raw message delivery/],
    ['an envelope of EventBridge', JSON.stringify(eventBridge), 'EVENT_MISSING', /input path/],
    ['a compressed body', gzipSync(eventBody(1)), 'BODY_NOT_UTF8', /gzip/],
    ['a body compressed without a name', deflateSync(eventBody(1)), 'BODY_NOT_UTF8', /deflate/],
    ['UTF-16', Buffer.from(`\ufeff${eventBody(1)}`, 'utf16le'), 'BODY_NOT_UTF8', /UTF-16/],
    ['a byte order mark', `\ufeff${eventBody(1)}`, 'BODY_NOT_OBJECT', /byte order mark/],
    ['JSON encoded twice', JSON.stringify(eventBody(1).toString()), 'BODY_NOT_OBJECT', /encoded twice/],
    ['base64', eventBody(1).toString('base64'), 'BODY_NOT_OBJECT', /base64/],
    ['a list', `[${eventBody(1)}]`, 'BODY_NOT_OBJECT', /by itself/],
    ['a CloudEvent', '{"specversion":"1.0","data":{"event":"call"}}', 'EVENT_MISSING', /CloudEvent/],
    ['a batch of records', '{"Records":[{"body":"{}"}]}', 'EVENT_MISSING', /by itself/],
    ['another text', 'event=x', 'BODY_NOT_OBJECT', /object$/],
    ['any other', '{"a":1}', 'EVENT_MISSING', /names the event$/],
  ])('%s', (_what, body, code, text) => {
    expect(() => envelopeOf(body)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(text) }),
    );
  });
});
