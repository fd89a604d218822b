import type { Download } from '../../../../src/network/download';
import { claimOf, verdictOf } from '../../../../src/sources/sqs/claim-check';
import { fixture } from '../../../support/values/events';

test('what the core API sends instead of a large event is recognised, and nothing else is', () => {
  expect(claimOf(fixture('transport.sqs.s3-claim-check.json'))).toEqual({
    link: expect.stringMatching(/^https:\/\/s3\.example\.test\/evolution\//),
    host: 's3.example.test',
    instance: 'loja-centro',
  });
  for (const other of ['transport.sqs.messages.upsert.json', 'messages.upsert.json']) {
    expect(claimOf(fixture(other))).toBeUndefined();
  }
  for (const text of ['{"dataType":"s3"}', '{"dataType":"s3","data":{"fileUrl":7}}', '"fileUrl"', 'null']) {
    expect(claimOf(Buffer.from(text))).toBeUndefined();
  }
});

test('a link that is no address has no host', () => {
  expect(claimOf(Buffer.from('{"dataType":"s3","data":{"fileUrl":"::"}}'))).toEqual({
    link: '::',
    host: '',
    instance: '',
  });
});

test.each<[Download, object]>([
  [
    { kind: 'done', body: Buffer.from('whole') },
    { kind: 'fetched', body: Buffer.from('whole') },
  ],
  [
    { kind: 'status', status: 403 },
    { kind: 'flawed', error: { code: 'CLAIM_EXPIRED' } },
  ],
  [
    { kind: 'status', status: 404 },
    { kind: 'flawed', error: { code: 'CLAIM_EXPIRED' } },
  ],
  [
    { kind: 'status', status: 301 },
    { kind: 'flawed', error: { code: 'CLAIM_REJECTED' } },
  ],
  [
    { kind: 'status', status: 400 },
    { kind: 'flawed', error: { code: 'CLAIM_REJECTED' } },
  ],
  [{ kind: 'too-large' }, { kind: 'flawed', error: { code: 'CLAIM_TOO_LARGE' } }],
  [
    { kind: 'refused', reason: 'leads inside' },
    { kind: 'flawed', error: { code: 'CLAIM_ADDRESS_REFUSED', message: 'leads inside' } },
  ],
  [
    { kind: 'status', status: 503 },
    { kind: 'failed', code: 'HTTP_503' },
  ],
  [
    { kind: 'status', status: 429 },
    { kind: 'failed', code: 'HTTP_429' },
  ],
  [
    { kind: 'failed', code: 'ECONNREFUSED' },
    { kind: 'failed', code: 'ECONNREFUSED' },
  ],
  [{ kind: 'no-room', bytes: 7 }, { kind: 'no-room' }],
])('%j comes to %j', (download, verdict) => {
  expect(verdictOf(download)).toMatchObject(verdict);
});
