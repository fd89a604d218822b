import { createHttpClient } from '../network/http-client';

export interface SectionCheckParts {
  /** Of the gateway, such as `http://localhost:8090`. */
  readonly gateway: string;
  readonly key: string;
  readonly instance: string;
}

const TIMEOUT_MS = 5000;

/** Whether an instance has no enabled `websocket` section, so that nothing comes; false where the gateway does not say. */
export async function isSwitchedOff({ gateway, key, instance }: SectionCheckParts): Promise<boolean> {
  const { origin, pathname } = new URL(gateway);
  const client = createHttpClient(origin, { connections: 1, connectTimeoutMs: TIMEOUT_MS });
  try {
    const { statusCode, body } = await client.request({
      method: 'GET',
      path: `${pathname.replace(/\/+$/, '')}/websocket/find/${encodeURIComponent(instance)}`,
      headers: { apikey: key },
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
    const section: unknown = JSON.parse(await body.text());
    return statusCode === 200 && !isEnabled(section);
  } catch {
    return false;
  } finally {
    await client.destroy();
  }
}

function isEnabled(section: unknown): boolean {
  return typeof section === 'object' && section !== null && 'enabled' in section && section.enabled === true;
}
