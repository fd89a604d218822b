import { type Browser, chromium } from 'playwright-core';
import { isInstalled, program } from '../processes/binaries';

/** The browser that `npm test` found or installed, or the one of this machine; undefined where there is none. */
export function browserProgram(): string | undefined {
  return process.env['CHROMIUM_BIN'] ?? (isInstalled('chromium') ? program('chromium') : undefined);
}

/** A headless Chromium of its own profile; `close` ends it with everything that it started. */
export function launchBrowser(executablePath = program('chromium')): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    // Containers run as root, where Chromium's sandbox cannot work, and give /dev/shm a few megabytes.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}
