import { PusherServer } from '../../support/pusher/server';
import { PUBLISHED_AT } from '../events';

/**
 * The strict test server in a process of its own: every signature and every event is checked, whoever sends it. Notes
 * for each event that says so how long it took from being published to being here.
 */
const APP = { id: '1234567', key: 'bench-key', secret: 'bench-secret' };
const MARK = `"${PUBLISHED_AT}":"`;

interface Counts {
  readonly events: number;
  readonly requests: number;
}

async function main(): Promise<void> {
  const server = await PusherServer.start([APP]);
  server.remembers = false;
  const latencies: number[] = [];
  let events = 0;
  let requests = 0;
  server.onPublished(({ data }) => {
    events++;
    const start = data.indexOf(MARK);
    if (start === -1) return;
    const publishedAt = data.slice(start + MARK.length, data.indexOf('"', start + MARK.length));
    latencies.push(Number(process.hrtime.bigint() - BigInt(publishedAt)) / 1e6);
  });
  server.misbehaviour = () => {
    requests++;
    return undefined;
  };
  process.on('message', (question) => {
    const counts: Counts = { events, requests };
    process.send?.(question === 'latencies' ? latencies : counts);
  });
  process.on('SIGTERM', () => process.exit());
  process.send?.({ port: server.port, ...APP });
}

void main();
