import { z } from 'zod';
import type { LoggedDelivery } from '../delivery-log/delivery-log';
import { instanceOf, kindOf, nameOf } from '../destinations/destination-ids';
import { urlSuffix } from '../events/catalogue';
import type { DestinationHealth } from '../health/destination-list';
import type { OwnApi } from './own-api';
import type { Viewer } from './viewer';

const rowSchema = z.object({ url: z.string(), webhookByEvents: z.boolean().optional() });

export interface CurlParts {
  readonly api: OwnApi;
  readonly destinations: { show(id: string): Promise<DestinationHealth | undefined> };
}

/**
 * Where a delivery of a webhook goes, with its secrets masked; undefined where it is another kind, or nobody knows any more. The
 * operator's own address is nothing for an instance's token.
 */
export async function addressOf(
  { api, destinations }: CurlParts,
  viewer: Viewer,
  { destination, event }: LoggedDelivery,
): Promise<string | undefined> {
  if (kindOf(destination) !== 'webhook') return undefined;
  const instance = instanceOf(destination);
  if (instance === undefined)
    return viewer.kind === 'instance' ? undefined : (await destinations.show(destination))?.address;
  const name = nameOf(destination);
  const path = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  const { body } = await api.ask(viewer, {
    method: 'GET',
    url: `/webhook/find/${encodeURIComponent(instance)}${path}`,
  });
  const row = rowSchema.safeParse(body).data;
  if (row === undefined || row.url === '') return undefined;
  return row.webhookByEvents === true ? withSuffix(row.url, urlSuffix(event, false)) : row.url;
}

function withSuffix(address: string, suffix: string): string {
  // A query may have question marks of its own.
  const [base = '', ...query] = address.split('?');
  return [`${base.replace(/\/$/, '')}/${suffix}`, ...query].join('?');
}

/** A command that sends the same again, for a shell. Signature and own headers are secrets. */
export function curlOf(address: string, { id }: LoggedDelivery, body: string): string {
  return [
    `curl -X POST ${quoted(address)}`,
    `-H 'content-type: application/json'`,
    `-H ${quoted(`webhook-id: ${id}`)}`,
    `--data-raw ${quoted(body)}`,
  ].join(' \\\n  ');
}

/** Within single quotes a shell takes everything as it is, but these. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
