/**
 * `npm run licences`: every package that goes into the image must be under a licence that lets anybody use it so; one line
 * for each licence, exit 1 where one is not known to. By package-lock.json, which has the licence of each package.
 */
import { readFileSync } from 'node:fs';
import { nameOf, productionOf } from './production.mjs';

/** SPDX identifiers of permissive licences. */
const TAKEN = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'Unlicense',
  'BlueOak-1.0.0',
  'Python-2.0',
  'CC0-1.0',
]);

/** Of an expression each alternative is enough; where licences are joined by AND all must be taken. */
export function isTaken(expression) {
  const bare = expression.replace(/[()]/g, '');
  return bare
    .split(/ OR /i)
    .some((alternative) => alternative.split(/ AND /i).every((id) => TAKEN.has(id.trim())));
}

/** Packages of production by their licence. */
export function licencesOf(lock) {
  const byLicence = new Map();
  for (const entry of productionOf(lock)) {
    const [, { license = 'none' }] = entry;
    byLicence.set(license, [...(byLicence.get(license) ?? []), nameOf(entry)]);
  }
  return byLicence;
}

if (import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
  for (const [licence, names] of licencesOf(lock)) {
    const isFine = isTaken(licence);
    console.log(
      `${isFine ? 'taken  ' : 'NOT TAKEN'} ${licence}: ${isFine ? names.length : names.join(', ')}`,
    );
    if (!isFine) process.exitCode = 1;
  }
}
