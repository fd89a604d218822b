import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Before each sealed text, so that it cannot be taken for JSON: version, key's name, base64 of nonce, tag, text. */
const SEALED = /^sealed1\.([\w-]{8})\.(.+)$/s;

/**
 * Encrypts settings where SETTINGS_ENCRYPTION_KEY is set: the first key seals, every key opens, so that keys can be
 * rotated. The instance's name is authenticated with the text: one instance's settings cannot be put under another.
 */
export class SettingsCipher {
  private readonly keys: ReadonlyMap<string, Buffer>;

  /** @param keys base64 of 32 bytes each, the newest first; none: nothing is encrypted */
  constructor(keys: readonly string[]) {
    this.keys = new Map(keys.map((key) => Buffer.from(key, 'base64')).map((key) => [nameOf(key), key]));
  }

  seal(instance: string, text: string): string {
    const [newest] = this.keys;
    if (newest === undefined) return text;
    const [name, key] = newest;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(instance));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return `sealed1.${name}.${Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64')}`;
  }

  /** @throws ConfigError when the text was sealed with a key that is not given, or was tampered with */
  open(instance: string, text: string): string {
    const [, name, content] = SEALED.exec(text) ?? [];
    if (name === undefined || content === undefined) return text;
    const key = this.keys.get(name);
    if (key === undefined) {
      throw new ConfigError([
        `SETTINGS_ENCRYPTION_KEY: must contain the key ${name}, with which the settings of ${JSON.stringify(instance)} are encrypted; while rotating give both, the newest first`,
      ]);
    }
    const bytes = Buffer.from(content, 'base64');
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(instance))
      .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([opened, decipher.final()]).toString('utf8');
    } catch (error) {
      throw new ConfigError(
        [`the stored settings of ${JSON.stringify(instance)} were changed by something else: set them anew`],
        { cause: error },
      );
    }
  }
}

/** Names a key without giving it away. */
function nameOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 8);
}
