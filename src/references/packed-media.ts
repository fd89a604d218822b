import type { Media } from '../events/normalise-media';

type Packed = Pick<Media, 'mimetype' | 'bytes'>;

const LENGTH_BYTES = 2;

/** The type and the bytes, as they lie in the store. */
export function packed({ mimetype, bytes }: Packed): Buffer {
  const type = Buffer.from(mimetype);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(type.length);
  return Buffer.concat([length, type, bytes]);
}

/** What the first part of it says, where that holds the type. */
export function headOf(stored: Buffer): { readonly mimetype: string; readonly begin: number } {
  const begin = LENGTH_BYTES + stored.readUInt16BE();
  return { mimetype: stored.toString('latin1', LENGTH_BYTES, begin), begin };
}
