import type { Download } from '../../../../src/network/download';
import { type ClaimDownloader, claimOf } from '../../../../src/sources/sqs/claim-check';
import { ClaimDesk, type ClaimJob } from '../../../../src/sources/sqs/claim-desk';
import { ClaimHosts } from '../../../../src/sources/sqs/claim-hosts';
import { ClaimRoom } from '../../../../src/sources/sqs/claim-room';
import { IntakeBudget } from '../../../../src/sources/sqs/intake-budget';
import { deferred, Happenings, turns } from '../../../support/signals/signals';
import { fixture } from '../../../support/values/events';

const CLAIM = claimOf(fixture('transport.sqs.s3-claim-check.json'));
const MB = 1_048_576;
const HOURS = 3_600_000;

let desk: ClaimDesk;
afterEach(() => desk.close());

function setup(fetch: ClaimDownloader['fetch'], maxBytes = 100 * MB) {
  const fetched = new Happenings<string>();
  const logged: string[] = [];
  const budget = new IntakeBudget(250, maxBytes);
  const log = (level: string) => (_message: string, fields: object) =>
    void logged.push(`${level} ${JSON.stringify(fields)}`);
  desk = new ClaimDesk({
    downloader: {
      fetch: (url, order) => {
        fetched.add(url);
        return fetch(url, order);
      },
    },
    room: new ClaimRoom(budget),
    hosts: new ClaimHosts({ warn: log('warn'), info: log('info') }),
    pausesMs: [0, 0],
    random: () => 0.5,
  });
  return { fetched, logged, budget };
}

function job(others: Partial<ClaimJob> = {}): ClaimJob {
  if (CLAIM === undefined) throw new Error('no claim');
  return { claim: CLAIM, queueUrl: 'queue', receiveCount: 1, ageMs: undefined, ...others };
}

const of = (instance: string, host = 's3.example.test') => {
  const { claim } = job();
  return job({ claim: { ...claim, instance, host } });
};

const answer =
  (download: Download): ClaimDownloader['fetch'] =>
  async () =>
    download;

test('the file takes the place of the message', async () => {
  const body = Buffer.from('whole');
  const { fetched } = setup(answer({ kind: 'done', body }));
  expect(await desk.redeem(job())).toMatchObject({ kind: 'fetched', body });
  expect(fetched.all).toEqual([expect.stringMatching(/^https:\/\/s3\.example\.test\/evolution\//)]);
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
    const { fetched } = setup(answer({ kind: 'failed', code: 'ECONNREFUSED' }));
    expect(await desk.redeem(job({ receiveCount }))).toEqual({ kind: 'later', afterSeconds });
    expect(fetched.all).toHaveLength(3);
  },
);

test.each<[number, number | undefined, string]>([
  [20, undefined, 'flawed'],
  [20, 4 * HOURS, 'flawed'],
  // It came again for want of turns or room.
  [20, HOURS / 2, 'later'],
  [19, 40 * HOURS, 'later'],
])('after %d receipts at the age of %p ms it is %s', async (receiveCount, ageMs, kind) => {
  setup(answer({ kind: 'status', status: 503 }));
  const result = await desk.redeem(job({ receiveCount, ageMs }));
  expect(result.kind).toBe(kind);
  if (result.kind === 'flawed') expect(result.error.code).toBe('CLAIM_UNAVAILABLE');
});

test('what will never be another answer is tried once', async () => {
  const { fetched } = setup(answer({ kind: 'status', status: 403 }));
  expect(await desk.redeem(job())).toMatchObject({ kind: 'flawed', error: { code: 'CLAIM_EXPIRED' } });
  expect(fetched.all).toHaveLength(1);
});

test('a host that fails is logged once, and once when it is well again; meanwhile each try is one (finding 9.5)', async () => {
  let download: Download = { kind: 'failed', code: 'ETIMEDOUT' };
  const { fetched, logged } = setup(async () => download);
  await desk.redeem(job());
  for (let n = 0; n < 5; n++) await desk.redeem(job());
  expect(fetched.all).toHaveLength(3 + 5);
  expect(logged).toEqual(['warn {"host":"s3.example.test","code":"ETIMEDOUT"}']);
  expect(desk.summary).toBe('files wait for s3.example.test (ETIMEDOUT)');
  download = { kind: 'done', body: Buffer.from('x') };
  await desk.redeem(job());
  expect([logged.length, logged.at(-1), desk.summary]).toEqual([
    2,
    'info {"host":"s3.example.test"}',
    undefined,
  ]);
});

test('a host that says nothing keeps no file of another host from being fetched (finding 9.5)', async () => {
  let isSilent = true;
  setup(async (_url, { signal }) =>
    isSilent ? silence(signal) : { kind: 'done', body: Buffer.from('well') },
  );
  for (let n = 0; n < 200; n++) void desk.redeem(of(`silent-${n}`, 'silent'));
  await turns();
  isSilent = false;
  expect(await desk.redeem(of('well', 'well'))).toMatchObject({ kind: 'fetched' });
});

test('room is taken before a file is read, and given back when it is settled (finding 9.6)', async () => {
  const { budget } = setup(async (_url, { admit }) =>
    admit(60 * MB) ? { kind: 'done', body: Buffer.alloc(1) } : { kind: 'no-room', bytes: 60 * MB },
  );
  const first = await desk.redeem(of('a'));
  // It turned out smaller than it could have been.
  expect(budget.bytes).toBe(1);
  if (first.kind === 'later') throw new Error('fetched');
  first.release();
  expect([budget.bytes, desk.count]).toEqual([0, 0]);
});

test('files wait for room without a connection, one after the other, and never exceed it (finding 9.6)', async () => {
  const size = 90 * MB;
  let most = 0;
  const { fetched, budget } = setup(async (_url, { admit }) => {
    if (!admit(size)) return { kind: 'no-room', bytes: size };
    most = Math.max(most, budget.bytes);
    // Nothing is written, so that it is never really in memory.
    return { kind: 'done', body: Buffer.allocUnsafeSlow(size) };
  });
  const results = Array.from({ length: 10 }, (_, n) => desk.redeem(of(`i${n}`)));
  let done = 0;
  for (const result of results) {
    void result.then(async (claim) => {
      await turns(1);
      if (claim.kind === 'fetched') done++;
      if (claim.kind !== 'later') claim.release();
    });
  }
  await Promise.all(results);
  await turns();
  expect([done, budget.bytes, fetched.all.length <= 20]).toEqual([10, 0, true]);
  expect(most).toBeLessThanOrEqual(100 * MB);
});

test('closing ends all, and their messages go back at once', async () => {
  const { fetched } = setup((_url, { signal }) => silence(signal));
  const all = Array.from({ length: 30 }, (_, n) => desk.redeem(of(`i${n % 10}`)));
  await turns();
  expect(fetched.all).toHaveLength(12);
  desk.close();
  expect(new Set((await Promise.all(all)).map((result) => JSON.stringify(result)))).toEqual(
    new Set([JSON.stringify({ kind: 'later', afterSeconds: 0 })]),
  );
  expect(desk.count).toBe(0);
});

async function silence(signal: AbortSignal): Promise<Download> {
  const aborted = deferred<Download>();
  signal.addEventListener('abort', () => aborted.resolve({ kind: 'failed', code: 'ABORTED' }));
  return aborted.promise;
}
