import type { Assets } from './assets';
import { type Html, html, path } from './html';
import { LANGUAGE_NAMES, LANGUAGES, type Language } from './language';
import type { Audience, ScreenName } from './screen';
import type { Session } from './session-cookies';
import { commonTexts } from './texts/common-texts';
import type { Viewer } from './viewer';

export interface PageParts {
  readonly title: string;
  readonly language: Language;
  /** With its id and what the script needs to keep it up to date. */
  readonly main: Html;
  /** The path that was asked for: where a change of the language comes back to. */
  readonly here: string;
  readonly current?: ScreenName;
  /** Undefined before somebody logged in. */
  readonly session?: Session;
}

interface MenuEntry {
  readonly name: ScreenName;
  readonly to: string;
  readonly audience: Audience;
}

const MENU: readonly MenuEntry[] = [
  { name: 'now', to: '/dashboard', audience: 'everybody' },
  { name: 'destinations', to: '/dashboard/destinations', audience: 'everybody' },
  { name: 'deliveries', to: '/dashboard/deliveries', audience: 'everybody' },
  { name: 'deadLetters', to: '/dashboard/dead-letters', audience: 'operators' },
  { name: 'instances', to: '/dashboard/instances', audience: 'everybody' },
  { name: 'queues', to: '/dashboard/queues', audience: 'operators' },
  { name: 'tail', to: '/dashboard/tail', audience: 'everybody' },
];

/** A whole page around its main part. */
export function pageOf(assets: Assets, parts: PageParts): Html {
  const { title, language, main, here, current, session } = parts;
  const texts = commonTexts[language];
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${texts.product}</title>
<link rel="icon" href="${assets.pathOf('icon.svg')}">
<link rel="stylesheet" href="${assets.pathOf('uplot.css')}">
<link rel="stylesheet" href="${assets.pathOf('dashboard.css')}">
${
  session !== undefined &&
  html`<script src="${assets.pathOf('uplot.js')}" defer></script>
<script src="${assets.pathOf('dashboard.mjs')}" type="module"></script>`
}
</head>
<body>
<a class="skip" href="#main">${texts.skip}</a>
<header>
<p class="product">${texts.product}</p>
${session !== undefined && menuOf(session.viewer, { language, current })}
<div class="tools">
${LANGUAGES.map((each) => languageLink(each, { language, here }))}
${session !== undefined && logOutForm(session, language)}
</div>
</header>
<p id="offline" role="status" hidden>${texts.offline}</p>
${main}
</body>
</html>
`;
}

function menuOf(
  viewer: Viewer,
  { language, current }: { readonly language: Language; readonly current: ScreenName | undefined },
): Html {
  const texts = commonTexts[language];
  const entries = MENU.filter(({ audience }) => isMeant(audience, viewer));
  return html`<nav aria-label="${texts.menu}"><ul>${entries.map(
    ({ name, to }) =>
      html`<li><a href="${to}"${name === current && html` aria-current="page"`}>${texts[name]}</a></li>`,
  )}</ul></nav>`;
}

export function isMeant(audience: Audience, { kind }: Viewer): boolean {
  return audience === 'everybody' || kind !== 'instance';
}

function languageLink(
  to: Language,
  { language, here }: { readonly language: Language; readonly here: string },
): Html {
  if (to === language) return html`<span class="language" lang="${to}">${LANGUAGE_NAMES[to]}</span>`;
  const address = path('/dashboard/language', { to, back: here });
  return html`<a class="language" lang="${to}" hreflang="${to}" href="${address}">${LANGUAGE_NAMES[to]}</a>`;
}

function logOutForm(session: Session, language: Language): Html {
  const texts = commonTexts[language];
  return html`<form method="post" action="/dashboard/log-out">${csrfField(session)}<span class="viewer">${viewerName(
    session.viewer,
    language,
  )}</span> <button>${texts.logOut}</button></form>`;
}

function viewerName(viewer: Viewer, language: Language): string {
  const texts = commonTexts[language];
  return viewer.kind === 'instance' ? texts.instance(viewer.instance) : texts[viewer.kind];
}

/** Every form has it: what is posted without it comes from somewhere else. */
export function csrfField({ csrf }: Session): Html {
  return html`<input type="hidden" name="csrf" value="${csrf}">`;
}

/** What a form answered: it stays on the page while the rest is kept up to date. */
export function noticeBox(notice: Html | undefined): Html {
  return html`<div id="notice" data-keep="">${notice}</div>`;
}
