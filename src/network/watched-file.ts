import { readFile, stat } from 'node:fs/promises';
import { monotonicMs } from '../time/monotonic';

/** How long what was read counts as current; then the file is looked at for a change. */
const CHECK_MS = 5000;

export interface WatchedFileParts<T> {
  readonly path: string;
  /** The file's text, empty where there is no such file → what it says. */
  readonly parse: (text: string) => T;
  readonly now?: () => number;
}

/** A small file of the operating system that may change while the process runs, such as `/etc/hosts` in a container. */
export class WatchedFile<T> {
  private stamp = '';
  private readonly now: () => number;
  private value: T;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private checking: Promise<void> | undefined;

  constructor(private readonly parts: WatchedFileParts<T>) {
    this.value = parts.parse('');
    this.now = parts.now ?? monotonicMs;
  }

  /** What the file says, at most five seconds old. Never rejects: a file that cannot be read counts as empty. */
  async read(): Promise<T> {
    if (this.now() - this.checkedAt >= CHECK_MS) {
      this.checking ??= this.check().finally(() => {
        this.checking = undefined;
      });
      await this.checking;
    }
    return this.value;
  }

  private async check(): Promise<void> {
    const { path, parse } = this.parts;
    const stamp = await stat(path).then(
      ({ mtimeMs, size, ino }) => `${mtimeMs} ${size} ${ino}`,
      () => '',
    );
    if (stamp !== this.stamp) {
      this.value = parse(await readFile(path, 'utf8').catch(() => ''));
      this.stamp = stamp;
    }
    this.checkedAt = this.now();
  }
}
