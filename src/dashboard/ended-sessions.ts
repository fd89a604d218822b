import { StoreUnavailableError } from '../errors';
import type { StoredCalls } from '../retry/retry-store';
import { instanceSeen, type Viewer } from './viewer';

/** Sessions that were logged out: their cookies are as good as before, wherever a copy of one lies. */
export class EndedSessions {
  constructor(private readonly calls: Pick<StoredCalls, 'isReady' | 'call'>) {}

  /** @throws StoreUnavailableError the session lives on in copies of its cookie, for `ms` at most */
  async add(viewer: Viewer, session: string, ms: number, longestMs: number): Promise<void> {
    await this.calls.call('relayEndSession', ownerOf(viewer), session, Math.max(1, Math.ceil(ms)), longestMs);
  }

  /** Unknown, and so false, while Redis is away: pages have nothing to show then but that. */
  async has(viewer: Viewer, session: string): Promise<boolean> {
    if (!this.calls.isReady) return false;
    try {
      return Number(await this.calls.call('relaySessionEnded', ownerOf(viewer), session)) === 1;
    } catch (error) {
      if (error instanceof StoreUnavailableError) return false;
      throw error;
    }
  }
}

function ownerOf(viewer: Viewer): string {
  return `${viewer.kind}:${instanceSeen(viewer) ?? ''}`;
}
