import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Keys } from '../http-api/keys';
import { instanceSeen, type Viewer } from './viewer';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly body?: object;
}

export interface ApiAnswer {
  readonly isOk: boolean;
  readonly status: number;
  readonly body: unknown;
  /** Why it is none that was hoped for, in the API's own words. */
  readonly problems: readonly string[];
  /** What it did all the same, and what a person should know of it. */
  readonly warnings: readonly string[];
}

const errorSchema = z.object({
  response: z.object({ message: z.union([z.string(), z.array(z.union([z.string(), z.array(z.string())]))]) }),
});
const warningsSchema = z.object({ warnings: z.array(z.string()) });

/** A name of dots alone means a way up in an address, however it is encoded: another route would be asked than is meant. */
const UPWARDS = /\/\.{1,2}(?:[/?]|$)/;
const UNADDRESSABLE: ApiAnswer = {
  ...{ isOk: false, status: 404, body: undefined, warnings: [] },
  problems: ['a name of dots alone has no address: use the command line'],
};

/**
 * The gateway's own routes, asked as the viewer: what they check, refuse and leave out holds for the dashboard, too. Nothing goes
 * over a network.
 */
export class OwnApi {
  constructor(
    private readonly server: FastifyInstance,
    private readonly keys: Keys,
  ) {}

  /** Where a viewer may only look, no change is asked for: that is the caller's part. */
  async ask(viewer: Viewer, { method, url, body }: ApiRequest): Promise<ApiAnswer> {
    if (UPWARDS.test(url)) return UNADDRESSABLE;
    const answer = await this.keys.lend(instanceSeen(viewer), (apikey) =>
      this.server.inject({
        ...{ method, url },
        headers: { apikey, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
      }),
    );
    const parsed = parsedJson(answer.payload);
    const isOk = answer.statusCode < 400;
    const warnings = warningsSchema.safeParse(parsed).data?.warnings ?? [];
    return {
      isOk,
      status: answer.statusCode,
      body: parsed,
      problems: isOk ? [] : problemsOf(parsed),
      warnings,
    };
  }

  has(method: 'GET' | 'POST', url: string): boolean {
    return this.server.hasRoute({ method, url });
  }
}

function problemsOf(body: unknown): string[] {
  const parsed = errorSchema.safeParse(body);
  return parsed.success ? [parsed.data.response.message].flat(2) : [];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
