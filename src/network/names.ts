import type { LookupFunction } from 'node:net';
import { NameLookup, type Resolve } from './name-lookup';
import { NameServers } from './name-servers';
import { OperatorNames } from './operator-names';
import { SystemNames } from './system-names';

const servers = new NameServers();
const system = new SystemNames({ servers });
/** One for the process: what is known of a name is known to all. */
const shared = new NameLookup({
  find: (name) => system.find(name),
  probe: (knownName) => servers.probe(knownName),
});

/** Resolves names that anybody may have chosen. */
export const resolveName: Resolve = shared.resolve;

/** `lookup` of `net.connect` for names that the operator chose: his webhook, proxy, hook and servers. */
export const operatorLookup: LookupFunction = asLookup(new OperatorNames(shared.resolve).resolve);

/** In either shape that `net` asks for: all addresses, or the first one. */
export function asLookup(resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    const family = options.family === undefined ? {} : { family: options.family };
    resolve(hostname, { ...family, all: true }, (error, addresses) => {
      const [first] = addresses;
      if (error !== null) callback(error, []);
      else if (options.all || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
