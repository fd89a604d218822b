import { ScaledObject, TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1';
import { PodMonitor, PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { Ingress, NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service, ServiceAccount } from 'kubernetes-models/v1';
import type { Manifest } from './manifest';

/** What is deployed, with the schemas of Kubernetes, KEDA and the Prometheus operator. */
const MODELS = [
  ...[Deployment, Ingress, NetworkPolicy, PodDisruptionBudget, ConfigMap, Service, ServiceAccount],
  ...[ScaledObject, TriggerAuthentication, PodMonitor, PrometheusRule],
];

/** What is wrong with a manifest by its schema; fields that the schema does not know are wrong, too. */
export function faultsOf(manifest: Manifest): string[] {
  const { apiVersion, kind, metadata } = manifest;
  const model = MODELS.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  const name = `${kind} ${metadata.name}`;
  if (model === undefined) return [`${name}: no schema of ${apiVersion}`];
  const watched = new Watched();
  try {
    model.prototype.validate.call(watched.of(manifest, ''));
  } catch (error) {
    return [`${name}: ${error instanceof Error ? error.message : error}`];
  }
  return watched.unread().map((path) => `${name}: no such field: ${path}`);
}

/**
 * The validators are compiled, and let pass what a schema does not name, as Kubernetes does where it is not asked to be strict.
 * Which fields they know shows in what they read: all that a schema names, of each object that it describes.
 */
class Watched {
  private readonly objects = new Map<
    string,
    { readonly names: readonly string[]; readonly read: Set<string> }
  >();

  of<T extends object>(value: T, path: string): T {
    const read = new Set<string>();
    if (!Array.isArray(value)) this.objects.set(path, { names: Object.keys(value), read });
    return new Proxy(value, {
      get: (target, name, receiver) => {
        const found: unknown = Reflect.get(target, name, receiver);
        if (typeof name === 'symbol') return found;
        read.add(name);
        const isObject = typeof found === 'object' && found !== null;
        return isObject ? this.of(found, `${path}/${name}`) : found;
      },
    });
  }

  /** An object of which nothing was read is free in form. */
  unread(): string[] {
    return [...this.objects].flatMap(([path, { names, read }]) =>
      read.size === 0 ? [] : names.filter((name) => !read.has(name)).map((name) => `${path}/${name}`),
    );
  }
}
