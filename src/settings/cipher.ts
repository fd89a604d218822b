import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { SettingsSealError } from './settings-errors';

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Before each sealed text, so that it cannot be taken for JSON: version, key's name, base64 of nonce, tag, text. */
const SEALED = /^sealed1\.([\w-]{8})\.(.+)$/s;

export interface CipherOptions {
  /** Texts in clear are taken although there is a key: while settings are moved (SETTINGS_ACCEPT_CLEAR). */
  readonly acceptClear?: boolean;
}

/**
 * Encrypts settings where SETTINGS_ENCRYPTION_KEY is set: the first key seals, every key opens, so that keys can be
 * rotated. The instance's name is authenticated with the text: one instance's settings cannot be put under another.
 */
export class SettingsCipher {
  private readonly keys: ReadonlyMap<string, Buffer>;

  /** @param keys base64 of 32 bytes each, the newest first; none: nothing is encrypted */
  constructor(
    keys: readonly string[],
    private readonly options: CipherOptions = {},
  ) {
    this.keys = new Map(keys.map((key) => Buffer.from(key, 'base64')).map((key) => [nameOf(key), key]));
  }

  /** Whether what is sealed is encrypted. */
  get encrypts(): boolean {
    return this.keys.size > 0;
  }

  /** Whether a stored text is sealed with the newest key, as everything would be if it was written now. */
  isUpToDate(text: string): boolean {
    const [newest] = this.keys.keys();
    return SEALED.exec(text)?.[1] === newest;
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

  /**
   * @throws SettingsSealError when the text was sealed with a key that is not given, was tampered with, or is in clear
   *   although there is a key: whoever can write to Redis could otherwise put settings of their own into force
   */
  open(instance: string, text: string): string {
    const [, name, content] = SEALED.exec(text) ?? [];
    if (name === undefined || content === undefined) return this.takeClear(instance, text);
    const key = this.keys.get(name);
    if (key === undefined) {
      throw new SettingsSealError(
        'SETTINGS_KEY_MISSING',
        `SETTINGS_ENCRYPTION_KEY: must contain the key ${name}, with which the settings of ${JSON.stringify(instance)} are encrypted; while rotating give both, the newest first`,
      );
    }
    const bytes = Buffer.from(content, 'base64');
    try {
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(instance))
        .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      return Buffer.concat([opened, decipher.final()]).toString('utf8');
    } catch (error) {
      throw new SettingsSealError(
        'SETTINGS_TAMPERED',
        `the stored settings of ${JSON.stringify(instance)} were changed by something else: set them anew`,
        { cause: error },
      );
    }
  }

  private takeClear(instance: string, text: string): string {
    if (!this.encrypts || this.options.acceptClear === true) return text;
    throw new SettingsSealError(
      'SETTINGS_IN_CLEAR',
      `the stored settings of ${JSON.stringify(instance)} are not encrypted although SETTINGS_ENCRYPTION_KEY is set: run \`evolution-relay settings encrypt\` if they are yours, or set SETTINGS_ACCEPT_CLEAR=true until you have`,
    );
  }
}

/** Whether a stored text is encrypted, by whatever key. */
export function isSealed(text: string): boolean {
  return SEALED.test(text);
}

/** Names a key without giving it away. */
function nameOf(key: Buffer): string {
  return createHash('sha256').update(key).digest('base64url').slice(0, 8);
}
