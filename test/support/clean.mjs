/** Before a package is made: what an older build left in dist would go with it. */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

rmSync(fileURLToPath(new URL('../../dist', import.meta.url)), { recursive: true, force: true });
