import { hostname } from 'node:os';

export const RESOLVER_FILE = '/etc/resolv.conf';

/** How names that are not complete are completed (resolv.conf(5)). */
export interface SearchList {
  readonly domains: readonly string[];
  /** Names with at least this many dots are asked for as they are first. */
  readonly ndots: number;
  /** Changes with the file: name servers are read anew then. */
  readonly text: string;
}

/** No machine has more; each costs a question. */
const MAX_DOMAINS = 16;
const MAX_NDOTS = 15;
const MAX_NAME = 253;

/** `search`, `domain` and `options ndots:n`; the last `search` or `domain` counts. The servers are c-ares' business. */
export function parseSearchList(text: string, machine: string = hostname()): SearchList {
  let domains = defaultDomains(machine);
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'search') domains = values;
    else if (keyword === 'domain') domains = values.slice(0, 1);
    else if (keyword === 'options') ndots = ndotsOf(values) ?? ndots;
  }
  const complete = domains.map((domain) => domain.replace(/\.$/, '').toLowerCase());
  return { domains: complete.filter((domain) => domain !== '').slice(0, MAX_DOMAINS), ndots, text };
}

/** Without `search` the domain of the machine's own name is searched. */
function defaultDomains(machine: string): string[] {
  const dot = machine.indexOf('.');
  return dot === -1 ? [] : [machine.slice(dot + 1)];
}

function ndotsOf(options: readonly string[]): number | undefined {
  const found = options.findLast((option) => /^ndots:\d+$/.test(option));
  return found === undefined ? undefined : Math.min(MAX_NDOTS, Number(found.slice('ndots:'.length)));
}

/** The complete names to ask for, in the order of the system's own resolver. */
export function candidatesOf(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const completed = domains.map((domain) => `${name}.${domain}`).filter(({ length }) => length <= MAX_NAME);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...completed] : [...completed, name];
}
