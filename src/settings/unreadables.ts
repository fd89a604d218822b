import { LRUCache } from 'lru-cache';
import type { Logger } from '../observability/logging';
import { counted } from '../plural';
import { monotonicMs } from '../time/monotonic';
import type { SettingsUnreadableError } from './settings-errors';
import { UnreadableLog } from './unreadable-log';

interface Unreadable {
  readonly error: SettingsUnreadableError;
  readonly readAt: number;
  /** They changed since, or may have. */
  isExpired: boolean;
}

/** More are read whenever they are asked for. */
const MAX_INSTANCES = 10_000;
/** A record that somebody mended without telling is found within this. */
const READ_AGAIN_MS = 60_000;

/** The instances whose settings cannot be read, each logged once as long as the reason stays the same. */
export class Unreadables {
  private readonly entries = new LRUCache<string, Unreadable>({ max: MAX_INSTANCES });
  private readonly log: UnreadableLog;
  private readonly ofFile: ReadonlyMap<string, SettingsUnreadableError>;

  /** @param faults of SETTINGS_FILE, which lasts for as long as the process */
  constructor(
    log: Logger,
    private readonly faults: readonly SettingsUnreadableError[],
    private readonly onCount: (count: number) => void,
  ) {
    this.log = new UnreadableLog(log);
    this.ofFile = new Map(faults.map((error) => [error.instance, error]));
    if (faults.length > 0) onCount(this.count);
  }

  get count(): number {
    return this.entries.size + this.faults.length;
  }

  /** Undefined where nothing is wrong with what SETTINGS_FILE says of the instance. */
  inFile(instance: string): SettingsUnreadableError | undefined {
    return this.ofFile.get(instance);
  }

  /** Undefined where it is not known to be unreadable, or may have changed. */
  of(instance: string): SettingsUnreadableError | undefined {
    const entry = this.entries.get(instance);
    return entry === undefined || entry.isExpired ? undefined : entry.error;
  }

  add(error: SettingsUnreadableError): SettingsUnreadableError {
    const { instance } = error;
    const before = this.entries.get(instance);
    this.entries.set(instance, { error, readAt: monotonicMs(), isExpired: false });
    if (before?.error.reason !== error.reason) this.log.unreadable(error);
    if (before === undefined) this.onCount(this.count);
    return error;
  }

  /** Whether it was one of them. */
  remove(instance: string): boolean {
    if (!this.entries.delete(instance)) return false;
    this.log.readable(instance);
    this.onCount(this.count);
    return true;
  }

  expire(instance: string): void {
    const entry = this.entries.get(instance);
    if (entry !== undefined) entry.isExpired = true;
  }

  /** Those that have no settings any more are not kept. */
  expireAll(hasSettings: (instance: string) => boolean): void {
    for (const instance of [...this.entries.keys()]) {
      if (hasSettings(instance)) this.expire(instance);
      else this.entries.delete(instance);
    }
    this.onCount(this.count);
  }

  /** Those that are to be read again now. */
  due(): string[] {
    const now = monotonicMs();
    return [...this.entries]
      .filter(([, { readAt, isExpired }]) => isExpired || now - readAt >= READ_AGAIN_MS)
      .map(([instance]) => instance);
  }
}

/** For /readyz: no reason to be unready, as all others go on. Names are not for everybody. */
export function unreadableDetail(count: number): Readonly<Record<string, string>> {
  return count === 0 ? {} : { settings: `${counted(count, 'instance')} cannot be read` };
}
