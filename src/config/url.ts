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

/** A host as sockets take it: URLs and lists of host:port have IPv6 addresses in brackets. */
export function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

/** The reverse, as URLs and lists have it. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
