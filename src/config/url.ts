/**
 * Not `URL.canParse`: on Node 20 it says no to addresses with Latin-1 letters beyond ASCII, such as https://exämple.com,
 * as soon as its caller was compiled to machine code. What was stored then could not be read again.
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Where the query or the fragment begins: behind it a backslash is a character like any other. */
const PLACE_AND_REST = /^([^?#]*)(.*)$/s;
/** The last of the characters that `URL` takes away at both ends. */
const SPACE = 0x20;

/**
 * An http or https address with its parts where `URL` finds them, for those who look at its text: `URL` drops line breaks,
 * reads `\` as `/`, and takes any number of slashes after the scheme. Otherwise https:///user:password@host looks like a path.
 */
export function asUrlReads(address: string): string {
  const bare = withoutEnds(address).replace(/[\t\n\r]/g, '');
  const [, place = '', rest = ''] = PLACE_AND_REST.exec(bare) ?? [];
  if (!/^https?:/i.test(place)) return bare;
  return place.replaceAll('\\', '/').replace(/^(https?:)\/*/i, '$1//') + rest;
}

/** Looks at each character once: of an expression that ends in `+$` a tenant's text of half a megabyte takes minutes. */
function withoutEnds(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= SPACE) start++;
  while (end > start && text.charCodeAt(end - 1) <= SPACE) end--;
  return text.slice(start, end);
}

/** A host as sockets take it: URLs and lists of host:port have IPv6 addresses in brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** The reverse, as URLs and lists have it. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
