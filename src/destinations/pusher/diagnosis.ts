import type { Pool } from 'undici';
import { explainError } from '../../errors';
import { type AppCredentials, AppSigner } from './signer';

/** What is the matter with an app. */
export type Trouble =
  | 'unreachable'
  | 'wrong-credentials'
  | 'wrong-clock'
  | 'unknown-app'
  | 'over-quota-or-suspended'
  | 'too-large'
  | 'failing';

export interface Diagnosis {
  /** Undefined: all is well. */
  readonly trouble: Trouble | undefined;
  /** Pusher's own words, or the code of what went wrong on the way. */
  readonly detail: string;
  /** What to do; empty where all is well. */
  readonly remedy: string;
}

/** Nobody subscribes to it. */
const CHANNEL = 'evolution-relay-doctor';
const TIMEOUT_MS = 10_000;
/** Pusher refuses what was signed by a clock that is off by more ("Authentication" of its HTTP API). */
const CLOCK_TOLERANCE_MS = 600_000;
const MAX_DETAIL = 300;

const REMEDIES: Readonly<Record<Trouble, string>> = {
  unreachable: 'check the cluster of the app (or its host and port), the network and the proxy',
  'wrong-credentials':
    'copy app id, key and secret anew from the dashboard of Pusher: they must be of one app',
  'wrong-clock': 'set the clock of this machine: it is more than ten minutes off',
  'unknown-app': 'check app id and cluster: this cluster has no such app',
  'over-quota-or-suspended': 'see the dashboard of Pusher: the app is suspended, or its quota is used up',
  'too-large': 'lower PUSHER_MAX_EVENT_BYTES: the plan of this app takes less than that',
  failing: 'Pusher itself is in trouble: see its status page',
};

/** Sends one event of the largest size to a channel that nobody subscribes to, and says what the answer means. */
export async function diagnose(app: AppCredentials, client: Pool, maxEventBytes: number): Promise<Diagnosis> {
  const signer = new AppSigner(app, '');
  const event = { name: 'doctor', channels: [CHANNEL], data: 'x'.repeat(maxEventBytes) };
  const body = Buffer.from(JSON.stringify(event));
  try {
    const answer = await client.request({
      path: signer.signedPath('POST', '/events', body),
      method: 'POST',
      headers: signer.headers,
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = (await answer.body.text()).trim().slice(0, MAX_DETAIL);
    const date = Date.parse(String(answer.headers['date']));
    return diagnosis(troubleOf(answer.statusCode, date, Date.now()), text || String(answer.statusCode));
  } catch (error) {
    return diagnosis('unreachable', explainError(error));
  }
}

function troubleOf(status: number, serverTime: number, now: number): Trouble | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 401)
    return Math.abs(serverTime - now) > CLOCK_TOLERANCE_MS ? 'wrong-clock' : 'wrong-credentials';
  if (status === 404) return 'unknown-app';
  if (status === 403) return 'over-quota-or-suspended';
  return status === 413 ? 'too-large' : 'failing';
}

function diagnosis(trouble: Trouble | undefined, detail: string): Diagnosis {
  if (trouble === undefined) return { trouble, detail: '', remedy: '' };
  return { trouble, detail, remedy: REMEDIES[trouble] };
}
