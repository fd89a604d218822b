import { instanceOf, kindOf, nameOf } from '../destinations/destination-ids';
import type { DestinationId } from '../pipeline/delivery';
import { type Html, html } from './html';
import type { Language } from './language';
import { destinationTexts } from './texts/destination-texts';

/** As a person calls it: `loja · webhook n8n`. */
export function destinationName(id: DestinationId, language: Language): string {
  const texts = destinationTexts[language];
  const instance = instanceOf(id);
  const kind = kindOf(id);
  if (instance === undefined) return id.endsWith(':global') ? texts.global(kind) : id;
  const name = nameOf(id);
  return name === undefined ? `${instance} · ${kind}` : `${instance} · ${kind} ${name}`;
}

export function destinationPath(id: string): string {
  return `/dashboard/destinations/${encodeURIComponent(id)}`;
}

export function destinationLink(id: DestinationId, language: Language): Html {
  return html`<a href="${destinationPath(id)}">${destinationName(id, language)}</a>`;
}
