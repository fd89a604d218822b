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
