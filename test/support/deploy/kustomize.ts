import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { isManifest, type Manifest } from './manifest';

/** As much of a kustomization as the files of `deploy/kubernetes` use; anything else is refused. */
const KUSTOMIZATION = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: z.string().optional(),
  resources: z.array(z.string()),
  labels: z.array(z.strictObject({ pairs: z.record(z.string(), z.string()) })).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  patches: z
    .array(
      z.strictObject({ target: z.strictObject({ kind: z.string(), name: z.string() }), patch: z.string() }),
    )
    .default([]),
});

type Kustomization = z.infer<typeof KUSTOMIZATION>;

const OPERATION = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('add'), path: z.string(), value: z.unknown() }),
  z.strictObject({ op: z.literal('replace'), path: z.string(), value: z.unknown() }),
  z.strictObject({ op: z.literal('remove'), path: z.string() }),
]);

type Operation = z.infer<typeof OPERATION>;

/** What `kubectl kustomize` makes of a folder, in the order of its resources. */
export function kustomize(folder: string): Manifest[] {
  const kustomization = KUSTOMIZATION.parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')));
  const manifests = kustomization.resources.flatMap((resource) =>
    resource.endsWith('.yaml')
      ? readManifests(readFileSync(join(folder, resource), 'utf8'))
      : kustomize(join(folder, resource)),
  );
  for (const patch of kustomization.patches) applyPatch(manifests, patch);
  for (const manifest of manifests) transform(manifest, kustomization);
  return manifests;
}

/** All documents of a text; empty ones are left out. */
export function readManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const value: unknown = document.toJS();
    if (value === null) return [];
    if (!isManifest(value)) throw new TypeError(`no manifest: ${JSON.stringify(value).slice(0, 200)}`);
    return [value];
  });
}

function applyPatch(
  manifests: readonly Manifest[],
  { target, patch }: Kustomization['patches'][number],
): void {
  const found = manifests.filter(
    ({ kind, metadata }) => kind === target.kind && metadata.name === target.name,
  );
  if (found.length !== 1) throw new RangeError(`${found.length} targets ${target.kind} ${target.name}`);
  for (const operation of z.array(OPERATION).parse(parse(patch)))
    for (const manifest of found) apply(manifest, operation);
}

/** RFC 6902, of maps alone. */
function apply(manifest: Manifest, operation: Operation): void {
  const names = operation.path
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = names.pop() ?? '';
  let map: unknown = manifest;
  for (const name of names) map = isMap(map) ? map[name] : undefined;
  if (!isMap(map)) throw new RangeError(`${operation.path} leads nowhere`);
  if (operation.op !== 'add' && !(last in map)) throw new RangeError(`${operation.path} is not there`);
  if (operation.op === 'remove') delete map[last];
  else map[last] = operation.value;
}

function transform(manifest: Manifest, { namespace, labels, images }: Kustomization): void {
  if (namespace !== undefined) manifest.metadata.namespace = namespace;
  for (const { pairs } of labels) manifest.metadata.labels = { ...manifest.metadata.labels, ...pairs };
  for (const container of manifest.spec?.template?.spec?.containers ?? []) {
    const image = images.find(({ name }) => name === container.image);
    if (image !== undefined) container.image = `${image.newName}:${image.newTag}`;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
