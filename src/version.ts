import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the relay's gateway calls itself where the core API has a clientName. */
export const CLIENT_NAME = 'evolution-relay';

/** Version of the relay, from package.json, which lies beside `src` and beside `dist`. */
export const VERSION: string = (
  JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;
