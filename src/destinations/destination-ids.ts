import { canDecode } from '../config/formats';
import type { DestinationId } from '../pipeline/delivery';

/**
 * References of destinations: `webhook:global`, `webhook:instance/<name>`, `webhook:instance/<name>/<webhook>`, and
 * `unreadable:instance/<name>` for those of an instance whose settings cannot be read.
 */

export function globalId(kind: string): DestinationId {
  return `${kind}:global` as DestinationId;
}

/** @param name of one of several; without it the one that the core API knows */
export function instanceId(kind: string, instance: string, name?: string): DestinationId {
  const suffix = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  // By way of UTF-8, as half a surrogate pair cannot be encoded.
  return `${kind}:instance/${encodeURIComponent(Buffer.from(instance).toString())}${suffix}` as DestinationId;
}

/** The instance whose own destination it is; undefined for a global one. */
export function instanceOf(id: DestinationId): string | undefined {
  const [, instance] = /^\w+:instance\/([^/]*)/.exec(id) ?? [];
  // What is stored may be damaged: no destination has such a name.
  return instance === undefined || !canDecode(instance) ? undefined : decodeURIComponent(instance);
}

/** The name of one of several of an instance; undefined for the one that the core API knows, and for a global one. */
export function nameOf(id: DestinationId): string | undefined {
  const [, name] = /^\w+:instance\/[^/]*\/([^/]+)$/.exec(id) ?? [];
  return name === undefined || !canDecode(name) ? undefined : decodeURIComponent(name);
}

export function kindOf(id: DestinationId): string {
  const [kind = ''] = id.split(':');
  return kind;
}
