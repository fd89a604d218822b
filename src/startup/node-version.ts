/** Oldest Node.js that everything else runs on, as in `engines` of package.json. */
const OLDEST = [20, 19] as const;
const FAILED = 1;

/*
 * Before anything else is loaded: an older Node.js would fail somewhere in a library, with words that lead nowhere. Nothing
 * newer than the oldest Node.js that somebody may have is used here.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `evolution-relay needs Node.js ${OLDEST.join('.')} or later; this is ${process.versions.node} (https://nodejs.org)\n`,
  );
  process.exit(FAILED);
}
