import { decodeMedia, type Media } from '../events/normalise-media';

const LENGTH_BYTES = 2;

/** The media of an event as it lies in the store, its type and its bytes; undefined where it is no base64. */
export function packed(body: Buffer, media: Media): Buffer | undefined {
  const type = Buffer.from(media.mimetype);
  const begin = LENGTH_BYTES + type.length;
  const stored = Buffer.allocUnsafe(begin + media.length);
  stored.writeUInt16BE(type.length);
  stored.set(type, LENGTH_BYTES);
  return decodeMedia(body, media, stored, begin) ? stored : undefined;
}

/** What the first part of it says, where that holds the type. */
export function headOf(stored: Buffer): { readonly mimetype: string; readonly begin: number } {
  const begin = LENGTH_BYTES + stored.readUInt16BE();
  return { mimetype: stored.toString('latin1', LENGTH_BYTES, begin), begin };
}
