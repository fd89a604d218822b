import type { Pool } from 'undici';
import { RelayError } from '../../errors';
import type { AppSigner } from './signer';

const TIMEOUT_MS = 10_000;
/** More than a hundred thousand channels. */
const MAX_BYTES = 16_777_216;

/** Pusher did not tell which channels are occupied. */
class ChannelsUnknownError extends RelayError {
  constructor(detail: string) {
    super('CHANNELS_UNKNOWN', `Pusher does not tell which channels are occupied: ${detail}`);
  }
}

/** Names of the occupied channels of an app that begin with `prefix`. @throws ChannelsUnknownError */
export async function occupiedChannels(client: Pool, signer: AppSigner, prefix: string): Promise<string[]> {
  const answer = await client.request({
    path: signer.signedPath('GET', '/channels', undefined, prefix === '' ? {} : { filter_by_prefix: prefix }),
    method: 'GET',
    headers: signer.headers,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new ChannelsUnknownError('the answer is too long');
    chunks.push(chunk);
  }
  if (answer.statusCode !== 200) throw new ChannelsUnknownError(String(answer.statusCode));
  return namesIn(Buffer.concat(chunks).toString('utf8'));
}

function namesIn(text: string): string[] {
  try {
    const { channels } = JSON.parse(text) as { channels?: unknown };
    if (typeof channels === 'object' && channels !== null) return Object.keys(channels);
  } catch {
    // The error below says so.
  }
  throw new ChannelsUnknownError('the answer is not what it should be');
}
