import { createHttpClient } from '../network/http-client';

export interface AskedInstance {
  /** Of the gateway. */
  readonly gateway: string;
  readonly key: string;
  readonly instance: string;
}

const TIMEOUT_MS = 5000;

/**
 * Why no event of an instance comes, although the gateway lets its clients in; undefined where nothing says so. It is no more
 * than a hint: where the gateway does not say, nothing is said.
 */
export async function missingSection({ gateway, key, instance }: AskedInstance): Promise<string | undefined> {
  const { origin, pathname } = new URL(gateway);
  const client = createHttpClient(origin, { connections: 1, connectTimeoutMs: TIMEOUT_MS });
  try {
    const { statusCode, body } = await client.request({
      path: `${pathname.replace(/\/+$/, '')}/websocket/find/${encodeURIComponent(instance)}`,
      method: 'GET',
      headers: { apikey: key, accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await body.text();
    return statusCode === 200 ? faultOf(JSON.parse(text), instance) : undefined;
  } catch {
    return undefined;
  } finally {
    await client.destroy();
  }
}

function faultOf(section: unknown, instance: string): string | undefined {
  const remedy = `no event comes before it is: settings set ${instance} '{"websocket":{"enabled":true}}'`;
  if (section === null) return `the websocket section of ${instance} is not set, and ${remedy}`;
  const isOff = typeof section === 'object' && 'enabled' in section && section.enabled === false;
  return isOff ? `the websocket section of ${instance} is not switched on, and ${remedy}` : undefined;
}
