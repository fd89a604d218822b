import type { AlertConfig } from '../config/alert-config';
import { inspectAddress } from '../destinations/http/address-check';
import type { Finding } from '../observability/finding';

const PART = 'alerts';

/** Whether alerts go anywhere, in which form, and whether their address can be connected to. Sends nothing. */
export async function inspectAlerts({ url, format }: AlertConfig): Promise<Finding[]> {
  if (url === undefined) {
    const detail = 'ALERT_WEBHOOK_URL is not set: nobody is alerted of what goes wrong';
    return [{ part: PART, check: 'address', state: 'note', detail }];
  }
  const connection = await inspectAddress(PART, url, undefined);
  return [
    connection,
    { part: PART, check: 'format', state: 'ok', detail: `${format}; send one: alerts test` },
  ];
}
