import { randomBytes } from 'node:crypto';
import { SettingsCipher } from '../../../src/settings/cipher';

const newKey = (): string => randomBytes(32).toString('base64');

/** What nobody can read, by what is wrong with it, where `key` is the one of now. */
export function unreadableSettings(key: string): Readonly<Record<string, string | Buffer>> {
  return {
    'another-key': new SettingsCipher([newKey()]).seal('another-key', '{"webhooks":{}}'),
    moved: new SettingsCipher([key]).seal('another', '{"webhooks":{}}'),
    'no-json': new SettingsCipher([key]).seal('no-json', 'token=s3cret'),
    'later-version': `sealed2.${randomBytes(60).toString('base64')}`,
    'refused-by-the-schema': new SettingsCipher([key]).seal(
      'refused-by-the-schema',
      '{"schema":"other","settings":{"webhook":{"url":5}}}',
    ),
    'in-clear': '{"webhook":{"url":"https://attacker.example/"}}',
    'ten-megabytes': 'x'.repeat(10_485_760),
    binary: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    empty: '',
  };
}
