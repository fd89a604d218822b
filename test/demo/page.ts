import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { HOST } from '../support/processes/ports';

/** What the page must know to subscribe. */
export interface PageSettings {
  readonly key: string;
  readonly port: number;
  readonly channels: readonly string[];
  readonly gateway: string;
  readonly apikey: string;
}

/** A page as a user would write it: pusher-js, and a list that events appear in. */
export function servePage(port: number, settings: PageSettings): Promise<Server> {
  const script = readFileSync(require.resolve('pusher-js/dist/web/pusher.min.js'));
  const page = html(settings);
  const server = createServer(({ url }, response) => {
    if (url === '/pusher.js') response.setHeader('content-type', 'text/javascript').end(script);
    else response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => resolve(server));
  });
}

function html(settings: PageSettings): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Evolution Relay: events in the browser</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1c2b33; }
  h1 { font-size: 1.4rem; margin: 0 0 1rem; }
  p { margin: .2rem 0 1rem; } b { font-size: 1.6rem; }
  table { border-collapse: collapse; width: 100%; } td { padding: .25rem .6rem; border-top: 1px solid #dde5e9; }
  td:nth-child(-n+2) { white-space: nowrap; font-weight: 600; } td:last-child { color: #54656f; width: 100%; max-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  a { color: #0b7a5c; }
</style>
<h1>WhatsApp events, pushed by Evolution Relay</h1>
<p><b id="count">0</b> events on ${settings.channels.length} private channels · <span id="links">0</span> too large for Pusher: a link instead · <span id="state">connecting</span></p>
<table><tbody id="events"></tbody></table>
<script src="/pusher.js"></script>
<script>
  const settings = ${JSON.stringify(settings)};
  const show = (id, text) => { document.getElementById(id).textContent = text; };
  let count = 0, links = 0;
  const pusher = new Pusher(settings.key, {
    cluster: 'demo', wsHost: '${HOST}', wsPort: settings.port, forceTLS: false, enabledTransports: ['ws'],
    channelAuthorization: { endpoint: settings.gateway + '/pusher/auth', headers: { apikey: settings.apikey } },
  });
  pusher.connection.bind('state_change', ({ current }) => show('state', current));
  for (const channel of settings.channels) pusher.subscribe(channel);
  pusher.bind_global((name, event) => {
    if (name.startsWith('pusher')) return;
    show('count', ++count);
    const row = document.getElementById('events').insertRow(0);
    for (const text of [event.instance, name]) row.insertCell().textContent = text;
    const cell = row.insertCell();
    if (event.reference) {
      show('links', ++links);
      const link = cell.appendChild(document.createElement('a'));
      link.href = event.reference.url;
      link.textContent = event.reference.bytes.toLocaleString('en') + ' bytes behind a signed link';
    } else cell.textContent = JSON.stringify(event.data).slice(0, 110);
    while (row.parentNode.rows.length > 12) row.parentNode.deleteRow(12);
  });
</script>
</html>
`;
}
