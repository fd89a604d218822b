import { z } from 'zod';
import { instanceOf, kindOf, nameOf } from '../../destinations/destination-ids';
import type { DestinationId } from '../../pipeline/delivery';
import type { ApiAnswer, OwnApi } from '../own-api';
import type { Viewer } from '../viewer';

const rowSchema = z.object({ url: z.string() });

/** Where destinations of instances send, by the routes that set it. */
export class DestinationAddresses {
  constructor(private readonly api: OwnApi) {}

  /** With its secrets masked; undefined where it has none, or nothing is set any more. */
  async of(viewer: Viewer, id: DestinationId): Promise<string | undefined> {
    const url = routeOf('find', id);
    if (url === undefined || !this.api.has('GET', patternOf('find', id))) return undefined;
    const { body } = await this.api.ask(viewer, { method: 'GET', url });
    return rowSchema.safeParse(body).data?.url;
  }

  change(viewer: Viewer, id: DestinationId, address: string): Promise<ApiAnswer> {
    const url = routeOf('set', id) ?? '';
    return this.api.ask(viewer, { method: 'POST', url, body: { [kindOf(id)]: { url: address } } });
  }

  canTest(id: DestinationId): boolean {
    return this.api.has('POST', `/${kindOf(id)}/test/:instance`);
  }

  test(viewer: Viewer, id: DestinationId): Promise<ApiAnswer> {
    const name = nameOf(id);
    const url = `/${kindOf(id)}/test/${encodeURIComponent(instanceOf(id) ?? '')}`;
    return this.api.ask(viewer, { method: 'POST', url, body: name === undefined ? {} : { name } });
  }
}

/** Undefined for a global one, which is configured and not set. */
function routeOf(verb: 'find' | 'set', id: DestinationId): string | undefined {
  const instance = instanceOf(id);
  if (instance === undefined) return undefined;
  const name = nameOf(id);
  const path = `/${kindOf(id)}/${verb}/${encodeURIComponent(instance)}`;
  return name === undefined ? path : `${path}/${encodeURIComponent(name)}`;
}

function patternOf(verb: 'find' | 'set', id: DestinationId): string {
  return `/${kindOf(id)}/${verb}/:instance${nameOf(id) === undefined ? '' : '/:name'}`;
}
