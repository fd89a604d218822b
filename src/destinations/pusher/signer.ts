import { createHash } from 'node:crypto';
import type Pusher from 'pusher';
import { randomBytes, secretbox } from 'tweetnacl';
import { VERSION } from '../../version';

export interface AppCredentials {
  readonly appId: string;
  readonly key: string;
  readonly secret: string;
}

const HEADERS: readonly string[] = [
  'content-type',
  'application/json',
  'user-agent',
  `evolution-relay/${VERSION}`,
  'x-pusher-library',
  `evolution-relay ${VERSION}`,
];

/** Signs requests to one app's HTTP API, and encrypts for its encrypted channels. */
export class AppSigner {
  private readonly pusher: Pusher;
  private readonly masterKey: Buffer;

  constructor(
    private readonly app: AppCredentials,
    masterKeyBase64: string,
  ) {
    // The host is of no matter: the library only signs.
    this.pusher = pusherOf(app);
    this.masterKey = Buffer.from(masterKeyBase64, 'base64');
  }

  get headers(): string[] {
    return [...HEADERS];
  }

  /** Path and query for a request with this body; it counts for ten minutes. */
  signedPath(
    method: 'GET' | 'POST',
    name: string,
    body?: Buffer,
    params: Readonly<Record<string, string>> = {},
  ): string {
    const path = `/apps/${this.app.appId}${name}`;
    const query = this.pusher.createSignedQueryString({
      method,
      path,
      params,
      // The library only hashes it: bytes will do, and are sent as they are.
      ...(body === undefined ? {} : { body: body as unknown as string }),
    });
    return `${path}?${query}`;
  }

  /** The data of an event on an encrypted channel ("End-to-end encryption" of Pusher's documentation). */
  encrypt(channel: string, data: Buffer): string {
    const sharedSecret = createHash('sha256').update(channel).update(this.masterKey).digest();
    const nonce = randomBytes(secretbox.nonceLength);
    const ciphertext = secretbox(data, nonce, sharedSecret);
    return JSON.stringify({ nonce: base64(nonce), ciphertext: base64(ciphertext) });
  }
}

/** The library is loaded here: a worker without a Pusher app does not need it. */
function pusherOf(app: AppCredentials): Pusher {
  const Library = require('pusher') as typeof Pusher;
  return new Library({ ...app, cluster: 'mt1' });
}

/** Length of what `encrypt` makes of this many bytes. */
export function encryptedLength(bytes: number): number {
  const [nonce, ciphertext] = [secretbox.nonceLength, bytes + secretbox.overheadLength].map(
    (length) => Math.ceil(length / 3) * 4,
  );
  return '{"nonce":"","ciphertext":""}'.length + (nonce ?? 0) + (ciphertext ?? 0);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
