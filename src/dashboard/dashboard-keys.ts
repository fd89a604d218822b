import { timingSafeEqual } from 'node:crypto';
import { digest, type Keys } from '../http-api/keys';
import type { Viewer } from './viewer';

export interface DashboardKeysParts {
  readonly keys: Keys;
  /** `DASHBOARD_READ_KEY`; empty: there is none. */
  readonly readKey: string;
}

/** What a key opens that somebody logs in with. */
export class DashboardKeys {
  private readonly readKey: Buffer | undefined;

  constructor(private readonly parts: DashboardKeysParts) {
    this.readKey = parts.readKey === '' ? undefined : digest(parts.readKey);
  }

  /**
   * Wrong keys are slowed down together with those that are shown to the API.
   *
   * @param instance whose token it may be; empty: none
   * @throws HttpError 401, or 429 where too many wrong keys come from this address or in all
   */
  async viewerOf(address: string, key: string, instance: string): Promise<Viewer> {
    if (this.readKey !== undefined && timingSafeEqual(digest(key), this.readKey)) return { kind: 'reader' };
    const access = await this.parts.keys.check(address, key, instance === '' ? undefined : instance);
    return access === 'all' ? { kind: 'operator' } : { kind: 'instance', instance };
  }
}
