import { drawCharts } from './charts.mjs';
import { watchCopies } from './copies.mjs';
import { morph } from './morph.mjs';

/** Between two looks, while somebody sees the page. */
const INTERVAL_MS = 3000;
const LONGEST_MS = 30_000;

const main = document.querySelector('main[data-live]');
const offline = document.getElementById('offline');
let timer;
let failures = 0;

/** Times are sent in UTC, and shown in the zone of the reader. */
function showTimes() {
  const today = new Date().toDateString();
  for (const time of document.querySelectorAll('time:not([data-shown])')) {
    const at = new Date(time.dateTime);
    const isToday = at.toDateString() === today;
    const options = isToday ? { timeStyle: 'medium' } : { dateStyle: 'short', timeStyle: 'short' };
    time.textContent = new Intl.DateTimeFormat(document.documentElement.lang, options).format(at);
    time.title = at.toLocaleString(document.documentElement.lang);
    time.dataset.shown = '';
  }
}

function next(delayMs) {
  clearTimeout(timer);
  // A hidden page asks for nothing; once it is seen again it does so at once.
  if (!document.hidden) timer = setTimeout(refresh, delayMs);
}

async function refresh() {
  try {
    const headers = { 'x-relay-part': 'main', 'if-none-match': main.dataset.etag };
    const response = await fetch(main.dataset.live, { headers, cache: 'no-store', redirect: 'error' });
    // The session is over: the page asks for a key.
    if (response.status === 401) return location.assign(main.dataset.live);
    if (response.headers.get('x-relay-part') === null) throw new Error('not an answer of the gateway');
    if (response.status !== 304) show(await response.text(), response.headers.get('etag'));
    failures = 0;
    offline.hidden = true;
  } catch {
    failures++;
    offline.hidden = failures < 2;
  }
  return next(Math.min(LONGEST_MS, INTERVAL_MS * 2 ** Math.min(failures, 4)));
}

function show(text, etag) {
  const { body } = new DOMParser().parseFromString(text, 'text/html');
  morph(main, body);
  main.dataset.etag = etag ?? '';
  showTimes();
}

showTimes();
watchCopies(document);
if (main !== null) {
  drawCharts(main);
  document.addEventListener('visibilitychange', () => (document.hidden ? clearTimeout(timer) : refresh()));
  next(INTERVAL_MS);
}
