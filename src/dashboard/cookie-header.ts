/** The value of a cookie that a browser sent; undefined where it sent none. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

export interface CookieOptions {
  readonly maxAgeSeconds: number;
  /** The browser speaks TLS with us, or with a proxy before us. */
  readonly isSecure: boolean;
}

/** `SameSite=Strict`: no page of elsewhere makes a browser send it, not even by a link. */
export function cookieHeader(
  name: string,
  value: string,
  { maxAgeSeconds, isSecure }: CookieOptions,
): string {
  const secure = isSecure ? '; Secure' : '';
  return `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
}
