import { instanceHolder, OPERATOR } from '../http-api/guards';

/** Who looks at the dashboard, by the key that was shown. */
export type Viewer =
  | { readonly kind: 'operator' }
  | { readonly kind: 'reader' }
  | { readonly kind: 'instance'; readonly instance: string };

/** The instance that a viewer is kept to; undefined: everything may be seen. */
export function instanceSeen(viewer: Viewer): string | undefined {
  return viewer.kind === 'instance' ? viewer.instance : undefined;
}

export function mayChange(viewer: Viewer): boolean {
  return viewer.kind !== 'reader';
}

/** For whom is counted what a viewer takes: as with the key that was shown. */
export function holderOfViewer(viewer: Viewer): string {
  if (viewer.kind === 'instance') return instanceHolder(viewer.instance);
  return viewer.kind === 'operator' ? OPERATOR : 'reader';
}
