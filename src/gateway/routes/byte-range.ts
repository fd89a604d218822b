/** What a request wants of some bytes. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  /** Nothing of what it wants is there. */
  | { readonly kind: 'none' };

const WHOLE: ByteRange = { kind: 'whole' };
/** One range: several at once are answered with everything, as a server may (RFC 9110, section 14.2). */
const FORM = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** The part of `length` bytes that the header `Range` asks for; a header that is no range is ignored. */
export function rangeOf(header: string | undefined, length: number): ByteRange {
  const [, from = '', to = ''] = FORM.exec(header?.trim() ?? '') ?? [];
  if (from === '' && to === '') return WHOLE;
  if (from === '') {
    const suffix = Number(to);
    return suffix === 0 || length === 0
      ? { kind: 'none' }
      : { kind: 'part', first: Math.max(0, length - suffix), last: length - 1 };
  }
  const first = Number(from);
  const last = to === '' ? length - 1 : Math.min(Number(to), length - 1);
  if (to !== '' && Number(to) < first) return WHOLE;
  return first >= length ? { kind: 'none' } : { kind: 'part', first, last };
}
