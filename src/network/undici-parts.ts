import type { Agent, buildConnector, Dispatcher, Pool } from 'undici';

/*
 * The only file that knows where undici keeps its parts. Its index loads `fetch`, WebSockets, caches and mocks as well: 7 MB,
 * and a tenth of a second, that no process of ours has a use for. The version is exact in package.json, and a test holds
 * these parts against those of the index (undici-parts.test.ts).
 */
const PoolClass: typeof Pool = require('undici/lib/dispatcher/pool');
const AgentClass: typeof Agent = require('undici/lib/dispatcher/agent');
const dispatcher: { readonly prototype: Dispatcher } = require('undici/lib/dispatcher/dispatcher');
const api: object = require('undici/lib/api');

// What its parser cannot read has a code by the name of that number. undici looks the name up here, where only numbers stand.
const { ERROR } = require('undici/lib/llhttp/constants') as {
  readonly ERROR: Record<string, number | string>;
};
for (const [name, number] of Object.entries(ERROR)) ERROR[number] = name;

// As its index does: `request` is a method of every dispatcher.
Object.assign(dispatcher.prototype, api);

/** How to connect, as `buildConnector` of undici. */
export const makeConnector: typeof buildConnector = require('undici/lib/core/connect');

/** Connections to one origin. */
export function makePool(origin: string, options: Pool.Options): Pool {
  return new PoolClass(origin, options);
}

/** Connections to any origin. */
export function makeAgent(options: Agent.Options): Agent {
  return new AgentClass(options);
}
