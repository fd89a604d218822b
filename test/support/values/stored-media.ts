/** Media as it lies behind links: length of its type, its type, and its bytes. */
export function storedMedia({
  mimetype,
  bytes,
}: {
  readonly mimetype: string;
  readonly bytes: Buffer;
}): Buffer {
  const type = Buffer.from(mimetype);
  return Buffer.concat([Buffer.from([type.length >> 8, type.length & 0xff]), type, bytes]);
}
