import { readFileSync, writeFileSync } from 'node:fs';
import { fileProblem } from '../config/layers';
import { UsageError } from './exit';

/** `-` is standard input. @throws UsageError */
export function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${fileProblem(error)}`);
  }
}

/** For the owner alone: it holds secrets. @throws UsageError */
export function writeSecrets(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${fileProblem(error)}`);
  }
}
