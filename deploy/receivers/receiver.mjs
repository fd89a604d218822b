// The smallest honest receiver for Node.js 20 or later, without dependencies.
//   WEBHOOK_SECRET=whsec_… PORT=3000 node receiver.mjs
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const KEY = Buffer.from((process.env.WEBHOOK_SECRET ?? '').replace(/^whsec_/, ''), 'base64');
const TOLERANCE_SECONDS = 300;
const MAX_BYTES = 32 * 1024 * 1024;
const MAX_IDS = 100_000;

if (KEY.length === 0) throw new Error('WEBHOOK_SECRET must be set');

/** Your work. What it throws is answered with 500, and the relay tries again. */
async function handle(event) {
  console.log(`${event.event} of ${event.instance}`);
}

/** Ids that were handled, and those under way. In memory: across restarts, keep them in your database, with what handling changes. */
const seen = new Map();

function isSigned(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  if (!id || !signatures || !/^\d+$/.test(timestamp ?? '')) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const expected = createHmac('sha256', KEY).update(`${id}.${timestamp}.`).update(body).digest();
  // Two signatures while a secret is being changed: one of them has to fit.
  return signatures.split(' ').some((each) => {
    const given = Buffer.from(each.replace(/^v1,/, ''), 'base64');
    return each.startsWith('v1,') && given.length === expected.length && timingSafeEqual(given, expected);
  });
}

async function receive(request, body) {
  if (request.method !== 'POST') return 405;
  // The bytes as they came: JSON that was parsed and written again has another signature.
  if (!isSigned(request.headers, body)) return 401;
  const id = request.headers['webhook-id'];
  // Under way: the relay is to ask again. Done: it is to be content.
  if (seen.has(id)) return seen.get(id) === 'done' ? 200 : 409;
  seen.set(id, 'under way');
  try {
    await handle(JSON.parse(body.toString('utf8')));
  } catch (error) {
    seen.delete(id);
    console.error(error);
    return 500;
  }
  seen.set(id, 'done');
  // The oldest go first. Keep ids for as long as the relay keeps deliveries (PARKED_MAX_AGE_DAYS).
  if (seen.size > MAX_IDS) seen.delete(seen.keys().next().value);
  return 200;
}

createServer((request, response) => {
  const chunks = [];
  let bytes = 0;
  request.on('data', (chunk) => {
    bytes += chunk.length;
    if (bytes <= MAX_BYTES) chunks.push(chunk);
  });
  request.on('end', async () => {
    const status = bytes > MAX_BYTES ? 413 : await receive(request, Buffer.concat(chunks));
    response.writeHead(status).end();
  });
}).listen(Number(process.env.PORT ?? 3000), process.env.HOST, () => console.log('listening'));
