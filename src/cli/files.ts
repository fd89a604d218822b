import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileProblem } from '../config/layers';
import { readTextFile } from '../config/text-file';
import { errorCode } from '../errors';
import { UsageError } from './exit';

/** Of an event: the core API's own limit for JSON, rounded up. */
export const MAX_EVENT_FILE_BYTES = 142_606_336;

/** Without a byte order mark; `-` is standard input. @throws UsageError */
export function readInput(file: string, maxBytes: number): Buffer {
  try {
    return readTextFile(file, maxBytes);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${fileProblem(error)}`);
  }
}

/**
 * For the owner alone, as it holds secrets, even where the file was there and others could read it: a new file takes its
 * place. @throws UsageError
 */
export function writeSecrets(file: string, text: string): void {
  try {
    if (existsSync(file) && !statSync(file).isFile()) writeFileSync(file, text);
    else replaceFile(existsSync(file) ? realpathSync(file) : file, text);
  } catch (error) {
    // What is missing is not the file, which would be made.
    const problem = errorCode(error) === 'ENOENT' ? 'its folder does not exist' : fileProblem(error);
    throw new UsageError(`${file} cannot be written: ${problem}`);
  }
}

function replaceFile(file: string, text: string): void {
  const next = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(next, text, { mode: 0o600, flag: 'wx' });
    renameSync(next, file);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  }
}
