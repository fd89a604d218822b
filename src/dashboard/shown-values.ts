import { type Html, html } from './html';
import type { Language } from './language';

const FORMATS = new Map<Language, Intl.NumberFormat>();

export function shownNumber(value: number, language: Language): string {
  let format = FORMATS.get(language);
  if (format === undefined) {
    format = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    FORMATS.set(language, format);
  }
  return format.format(value);
}

/** A moment; the page's script shows it in the time of the viewer's own zone. */
export function shownMoment(at: number | undefined): Html {
  if (at === undefined) return html`–`;
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`;
}

/** A length of time, in its two largest units. */
export function shownAge(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function shownMs(ms: number | undefined, language: Language): string {
  if (ms === undefined) return '–';
  return ms < 1000 ? `${Math.round(ms)} ms` : `${shownNumber(ms / 1000, language)} s`;
}

export function shownShare(share: number | undefined, language: Language): string {
  return share === undefined ? '–' : `${shownNumber(share * 100, language)} %`;
}
