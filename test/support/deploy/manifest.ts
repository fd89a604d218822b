type Labels = Record<string, string>;

export interface Container {
  readonly name: string;
  image: string;
  readonly [field: string]: unknown;
}

/** A manifest of Kubernetes, as far as renderers and policies look at it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; namespace?: string; labels?: Labels; annotations?: Labels };
  readonly data?: Labels;
  readonly spec?: {
    readonly template?: {
      readonly metadata: { readonly labels: Labels; readonly annotations?: Labels };
      readonly spec: { readonly containers: readonly Container[]; readonly [field: string]: unknown };
    };
    readonly [field: string]: unknown;
  };
}

export function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  if (!('apiVersion' in value && 'kind' in value && 'metadata' in value)) return false;
  const { metadata } = value;
  return typeof metadata === 'object' && metadata !== null && 'name' in metadata;
}
