import type { LookupAddress } from 'node:dns';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorCode } from '../../../src/errors';
import { parseHosts } from '../../../src/network/hosts-file';
import { NameLookup, type Resolve } from '../../../src/network/name-lookup';
import { NameServers } from '../../../src/network/name-servers';
import { OperatorNames } from '../../../src/network/operator-names';
import { candidatesOf, parseSearchList } from '../../../src/network/search-list';
import { SystemNames } from '../../../src/network/system-names';
import { type DnsAnswer, DnsServer } from '../../support/servers/dns-server';
import { deferred, Happenings } from '../../support/signals/signals';

let folder: string;
let server: DnsServer;
let second: DnsServer | undefined;
let clock: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'names-'));
  server = await DnsServer.start();
  clock = 0;
});

afterEach(async () => {
  await server.stop();
  await second?.stop();
  second = undefined;
  rmSync(folder, { recursive: true });
});

const hostsFile = (): string => join(folder, 'hosts');
const resolverFile = (): string => join(folder, 'resolv.conf');

function lookupWith(servers: readonly string[] = [server.address]): NameLookup {
  const nameServers = new NameServers(servers);
  const system = new SystemNames({
    servers: nameServers,
    hostsFile: hostsFile(),
    resolverFile: resolverFile(),
    now: () => clock,
  });
  return new NameLookup({
    find: (name) => system.find(name),
    probe: (known) => nameServers.probe(known),
  });
}

/** Addresses, or the code of the error. */
function find(
  { resolve }: { readonly resolve: Resolve },
  name: string,
  family?: 4 | 6,
): Promise<string | string[]> {
  return new Promise((done) => {
    resolve(name, { all: true, ...(family === undefined ? {} : { family }) }, (error, addresses) =>
      done(error === null ? addresses.map(({ address }) => address) : errorCode(error)),
    );
  });
}

describe('names whose servers never answer (finding 1.4)', () => {
  it('delay no other name, are asked for once each, and end as a failure of their own', async () => {
    const names = lookupWith();
    const hanging = Array.from({ length: 80 }, (_, index) => `hang-${index}.example`);
    for (const name of hanging) server.answers.set(name, 'silent');
    for (let index = 0; index < 80; index++) server.answers.set(`well-${index}.example`, ['192.0.2.1']);
    let ended = 0;
    const stuck = hanging.flatMap((name) => [find(names, name), find(names, name)]);
    for (const each of stuck) void each.then(() => ended++);
    const well = await Promise.all(hanging.map((_, index) => find(names, `well-${index}.example`)));
    // They waited for none of those that hang: on a busy machine the first of these end meanwhile.
    expect(ended).toBeLessThan(stuck.length);
    expect(new Set(well.flat())).toEqual(new Set(['192.0.2.1']));
    expect(new Set(await Promise.all(stuck))).toEqual(new Set(['EAI_AGAIN']));
    // c-ares sends each question twice.
    expect(server.asked('hang-0.example')).toBeLessThanOrEqual(2);
  });

  it('are not asked for again at once', async () => {
    const names = lookupWith();
    server.answers.set('hang.example', 'silent');
    expect(await find(names, 'hang.example')).toBe('EAI_AGAIN');
    const asked = server.asked('hang.example');
    expect(await find(names, 'hang.example')).toBe('EAI_AGAIN');
    expect(server.asked('hang.example')).toBe(asked);
  });

  it.each<[string, Readonly<Record<string, DnsAnswer>>, string]>([
    ['the servers answer nobody', { 'hang.example': 'silent', '': 'silent' }, 'RESOLVER_DOWN'],
    ['the servers answer for others', { 'hang.example': 'silent' }, 'EAI_AGAIN'],
    ['the servers cannot find it out', { 'hang.example': 'refused' }, 'EAI_AGAIN'],
  ])('are our own fault only where no name is answered: %s', async (_, answers, code) => {
    for (const [name, answer] of Object.entries(answers)) server.answers.set(name, answer);
    expect(await find(lookupWith(), 'hang.example')).toBe(code);
  });

  it('are our own fault where several names in a row are refused and nothing works', async () => {
    server.answers.set('', 'refused');
    server.otherwise = 'refused';
    const names = lookupWith();
    const all = [
      await find(names, 'a.example'),
      await find(names, 'b.example'),
      await find(names, 'c.example'),
    ];
    expect(all).toEqual(['EAI_AGAIN', 'EAI_AGAIN', 'RESOLVER_DOWN']);
    server.answers.set('well.example', ['192.0.2.1']);
    expect(await find(names, 'well.example')).toEqual(['192.0.2.1']);
    expect(await find(names, 'd.example')).toBe('EAI_AGAIN');
  });

  it('are our own fault where no server can be reached', async () => {
    const gone = await DnsServer.start();
    const { address } = gone;
    await gone.stop();
    expect(await find(lookupWith([address]), 'any.example')).toBe('RESOLVER_DOWN');
  });
});

describe('a name', () => {
  it('is asked for once by all that wait for it, and is remembered for its time to live', async () => {
    const names = lookupWith();
    server.answers.set('shared.example', ['192.0.2.7', '2001:db8::7']);
    const all = await Promise.all(Array.from({ length: 100 }, () => find(names, 'Shared.example')));
    expect(new Set(all.map(String))).toEqual(new Set(['192.0.2.7,2001:db8::7']));
    expect(await find(names, 'shared.example')).toEqual(['192.0.2.7', '2001:db8::7']);
    expect(server.questions.all).toHaveLength(2);
  });

  it('whose time to live is over at once is asked for again', async () => {
    const names = lookupWith();
    server.ttlSeconds = 0;
    server.answers.set('moving.example', ['192.0.2.7']);
    expect(await find(names, 'moving.example')).toEqual(['192.0.2.7']);
    server.answers.set('moving.example', ['192.0.2.8']);
    expect(await find(names, 'moving.example')).toEqual(['192.0.2.8']);
  });

  it('that does not exist, or has no address, is ENOTFOUND', async () => {
    const names = lookupWith();
    server.answers.set('empty.example', []);
    expect(await find(names, 'nowhere.example')).toBe('ENOTFOUND');
    expect(await find(names, 'empty.example')).toBe('ENOTFOUND');
    expect(await find(names, `${'x'.repeat(64)}.example`)).toBe('ENOTFOUND');
    expect(await find(names, '.')).toBe('ENOTFOUND');
  });

  it('answers for the family that is asked for', async () => {
    const names = lookupWith();
    server.answers.set('both.example', ['192.0.2.7', '2001:db8::7']);
    server.answers.set('six.example', ['2001:db8::7']);
    expect(await find(names, 'both.example', 6)).toEqual(['2001:db8::7']);
    expect(await find(names, 'six.example')).toEqual(['2001:db8::7']);
    expect(await find(names, 'six.example', 4)).toBe('ENOTFOUND');
  });
});

describe('the system’s own ways to a name are kept', () => {
  it('the hosts file comes before the servers, and its changes are seen', async () => {
    writeFileSync(hostsFile(), '127.0.0.1 localhost\n10.0.0.5\tredis Redis-Alias # a container\n::5 redis\n');
    const names = lookupWith();
    expect(await find(names, 'REDIS')).toEqual(['10.0.0.5', '::5']);
    expect(await find(names, 'redis-alias')).toEqual(['10.0.0.5']);
    writeFileSync(hostsFile(), '10.0.0.66 redis\n');
    clock += 5000;
    expect(await find(names, 'redis')).toEqual(['10.0.0.66']);
    expect(server.questions.all).toEqual([]);
  });

  it('localhost and all below it are this machine', async () => {
    const names = lookupWith();
    expect(await find(names, 'localhost')).toEqual(['127.0.0.1', '::1']);
    expect(await find(names, 'app.localhost')).toEqual(['127.0.0.1', '::1']);
    expect(server.questions.all).toEqual([]);
  });

  it('short names are completed by the search list, as in Kubernetes', async () => {
    writeFileSync(
      resolverFile(),
      'nameserver 127.0.0.1\nsearch ns.svc.cluster.local svc.cluster.local\noptions edns0 ndots:5\n',
    );
    const names = lookupWith();
    server.answers.set('n8n.ns.svc.cluster.local', ['10.1.0.1']);
    server.answers.set('n8n.other.svc.cluster.local', ['10.1.0.2']);
    server.answers.set('example.com', ['192.0.2.1']);
    expect(await find(names, 'n8n')).toEqual(['10.1.0.1']);
    expect(await find(names, 'n8n.other')).toEqual(['10.1.0.2']);
    expect(await find(names, 'example.com')).toEqual(['192.0.2.1']);
    expect(await find(names, 'example.com.')).toEqual(['192.0.2.1']);
    expect(server.asked('example.com.ns.svc.cluster.local')).toBe(1);
  });

  it('names of containers are answered by the server that resolv.conf names, as in Docker', async () => {
    writeFileSync(resolverFile(), 'nameserver 127.0.0.11\noptions ndots:0\n');
    server.answers.set('evolution-api', ['172.18.0.3']);
    expect(await find(lookupWith(), 'evolution-api')).toEqual(['172.18.0.3']);
  });

  it('a server that is away is passed over', async () => {
    second = await DnsServer.start();
    second.otherwise = 'silent';
    second.answers.set('', 'silent');
    server.answers.set('well.example', ['192.0.2.1']);
    expect(await find(lookupWith([second.address, server.address]), 'well.example')).toEqual(['192.0.2.1']);
  });

  it('an answer for one family does not wait for one that never comes', async () => {
    const names = new NameLookup({
      find: (name) =>
        new SystemNames({
          servers: Object.assign(new NameServers([server.address]), {
            ask: (_: string, family: 4 | 6) =>
              family === 4
                ? Promise.resolve({ kind: 'found', addresses: ['192.0.2.1'], ttlMs: 0 })
                : new Promise<never>(() => {}),
          }),
          hostsFile: hostsFile(),
          resolverFile: resolverFile(),
        }).find(name),
      probe: () => Promise.resolve('works'),
    });
    expect(await find(names, 'four.example')).toEqual(['192.0.2.1']);
  });
});

describe('names that the operator chose', () => {
  const unknown: Resolve = (name, _, callback) =>
    callback(Object.assign(new Error(name), { code: 'ENOTFOUND' }), []);

  it('are asked of the C library too, one at a time, and no others are', async () => {
    const calls = new Happenings<string>();
    const { promise, resolve: answer } = deferred<LookupAddress[]>();
    const library: Resolve = (name, _, callback) => {
      calls.add(name);
      void promise.then((addresses) => callback(null, addresses));
    };
    const operator = new OperatorNames(unknown, library);
    const waiting = [find(operator, 'printer.local'), find(operator, 'printer.local')];
    await calls.count(1);
    expect(await find(operator, 'other.local')).toBe('ENOTFOUND');
    answer([{ address: '192.168.1.9', family: 4 }]);
    expect(await Promise.all(waiting)).toEqual([['192.168.1.9'], ['192.168.1.9']]);
    expect(calls.all).toEqual(['printer.local']);
  });

  it('that nobody knows are not asked for again at once', async () => {
    let calls = 0;
    const library: Resolve = (name, options, callback) => {
      calls++;
      unknown(name, options, callback);
    };
    const operator = new OperatorNames(unknown, library);
    expect(await find(operator, 'nobody.local')).toBe('ENOTFOUND');
    expect(await find(operator, 'nobody.local')).toBe('ENOTFOUND');
    expect(calls).toBe(1);
  });
});

describe('the files', () => {
  it.each([
    ['', 'host.corp.example', { domains: ['corp.example'], ndots: 1 }],
    ['search a.example. B.example\n', 'host', { domains: ['a.example', 'b.example'], ndots: 1 }],
    ['search a.example\ndomain c.example d.example\n', 'host', { domains: ['c.example'], ndots: 1 }],
    ['options ndots:2 ndots:99\n; search no\n# search no', 'host', { domains: [], ndots: 15 }],
    ['search .\noptions ndots:x', 'host', { domains: [], ndots: 1 }],
  ])('resolv.conf %j', (text, machine, expected) => {
    expect(parseSearchList(text, machine)).toEqual({ ...expected, text });
  });

  it.each([
    ['n8n', 1, ['n8n.a', 'n8n.b', 'n8n']],
    ['n8n.x', 1, ['n8n.x', 'n8n.x.a', 'n8n.x.b']],
    ['n8n.x', 5, ['n8n.x.a', 'n8n.x.b', 'n8n.x']],
    ['n8n.x.', 5, ['n8n.x']],
  ])('%s with ndots %d', (name, ndots, expected) => {
    expect(candidatesOf(name, { domains: ['a', 'b'], ndots, text: '' })).toEqual(expected);
  });

  it('hosts', () => {
    expect([...parseHosts('no address\r\n1.2.3.4 a b.\r\n#5.6.7.8 c\n1.2.3.4 a\nfe80::1 a\n')]).toEqual([
      ['a', ['1.2.3.4', 'fe80::1']],
      ['b', ['1.2.3.4']],
    ]);
  });
});
