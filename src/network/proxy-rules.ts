/** Which requests go by way of which proxy. */
export interface ProxyRules {
  /** For http:// addresses. */
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts that are reached without: `example.com` and all below it, `host:port`, `*`. */
  readonly except: readonly string[];
}

/** The proxy for requests to `origin`; undefined where they go straight. */
export function proxyFor(origin: string, rules: ProxyRules): URL | undefined {
  const { protocol, hostname, port } = new URL(origin);
  const proxy = protocol === 'https:' ? rules.https : rules.http;
  if (proxy === undefined || isLoopback(hostname)) return undefined;
  const address = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
  return rules.except.some((exception) => isExcept(hostname, address, exception.toLowerCase()))
    ? undefined
    : new URL(proxy);
}

/** What is on this very machine is never behind a proxy. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

function isExcept(hostname: string, address: string, exception: string): boolean {
  if (exception === '*' || exception === address) return true;
  const domain = exception.replace(/^\*?\./, '');
  return hostname === domain || hostname.endsWith(`.${domain}`);
}
