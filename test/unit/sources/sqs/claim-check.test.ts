import { ClaimChecks, type ClaimDownload, isClaim } from '../../../../src/sources/sqs/claim-check';
import { fixture } from '../../../support/events';
import { deferred, turns } from '../../../support/signals';

const CLAIM = fixture('transport.sqs.s3-claim-check.json');

function setup(fetch: (url: string, signal: AbortSignal) => Promise<ClaimDownload>) {
  const urls: string[] = [];
  const claims = new ClaimChecks({
    downloader: {
      fetch: (url, signal) => {
        urls.push(url);
        return fetch(url, signal);
      },
    },
    pausesMs: [0, 0],
  });
  return { claims, urls };
}

test('what the core API sends instead of a large event is recognised, and nothing else is', () => {
  expect(isClaim(CLAIM)).toBe(true);
  for (const other of ['transport.sqs.messages.upsert.json', 'messages.upsert.json']) {
    expect(isClaim(fixture(other))).toBe(false);
  }
  for (const text of ['{"dataType":"s3"}', '{"dataType":"s3","data":{"fileUrl":7}}', '"fileUrl"', 'null']) {
    expect(isClaim(Buffer.from(text))).toBe(false);
  }
});

test('the file takes the place of the message', async () => {
  const body = Buffer.from('whole');
  const { claims, urls } = setup(async () => ({ kind: 'done', body }));
  expect(await claims.redeem(CLAIM, 1)).toEqual({ kind: 'fetched', body });
  expect(urls).toEqual([expect.stringMatching(/^https:\/\/s3\.example\.test\/evolution\//)]);
});

test.each<[number, number]>([
  [1, 30],
  [2, 60],
  [5, 480],
  [6, 900],
  [19, 900],
])(
  'what cannot be fetched goes back: after receipt %d for %d seconds',
  async (receiveCount, afterSeconds) => {
    const { claims, urls } = setup(async () => ({ kind: 'failed', code: 'ECONNREFUSED' }));
    expect(await claims.redeem(CLAIM, receiveCount)).toEqual({ kind: 'later', afterSeconds });
    expect(urls).toHaveLength(3);
  },
);

test('and is given up on after twenty receipts', async () => {
  const { claims } = setup(async () => ({ kind: 'status', status: 503 }));
  expect(await claims.redeem(CLAIM, 20)).toMatchObject({
    kind: 'flawed',
    error: { code: 'CLAIM_UNAVAILABLE' },
  });
});

test.each<[ClaimDownload, string]>([
  [{ kind: 'status', status: 403 }, 'CLAIM_EXPIRED'],
  [{ kind: 'status', status: 404 }, 'CLAIM_EXPIRED'],
  [{ kind: 'status', status: 301 }, 'CLAIM_REJECTED'],
  [{ kind: 'status', status: 400 }, 'CLAIM_REJECTED'],
  [{ kind: 'too-large' }, 'CLAIM_TOO_LARGE'],
  [{ kind: 'refused', reason: 'leads inside' }, 'CLAIM_ADDRESS_REFUSED'],
])('%j will never be another answer: %s at once', async (download, code) => {
  const { claims, urls } = setup(async () => download);
  expect(await claims.redeem(CLAIM, 1)).toMatchObject({ kind: 'flawed', error: { code } });
  expect(urls).toHaveLength(1);
});

test('no more than four files at once; closing ends all of them, and their messages go back at once', async () => {
  const { claims, urls } = setup(async (_url, signal) => {
    const aborted = deferred<ClaimDownload>();
    signal.addEventListener('abort', () => aborted.resolve({ kind: 'failed', code: 'ABORTED' }));
    return aborted.promise;
  });
  const all = Array.from({ length: 10 }, () => claims.redeem(CLAIM, 3));
  await turns();
  expect(urls).toHaveLength(4);
  claims.close();
  expect(new Set((await Promise.all(all)).map((result) => JSON.stringify(result)))).toEqual(
    new Set([JSON.stringify({ kind: 'later', afterSeconds: 0 })]),
  );
});
