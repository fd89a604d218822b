import type { Pool } from 'undici';
import { z } from 'zod';
import { HttpError } from '../../../http-api/http-errors';
import { checkedBy } from '../../../settings/own-words';

/** What somebody asks for, without a key. */
export interface AuthQuestion {
  readonly socket_id: string;
  readonly channel_name?: string;
  readonly instance?: string;
  /** What else the client sent, for the hook to go by. */
  readonly params: Readonly<Record<string, string>>;
}

const personSchema = z.object({
  user_id: z.union([z.string(), z.number()]).transform(String).optional(),
  user_info: z.record(z.string(), z.unknown()).optional(),
});

/** Who the hook says it is. */
export type Person = z.output<typeof personSchema>;

const TIMEOUT_MS = 5000;
const MAX_BYTES = 65_536;

/** The operator's own decision about clients without a key: asked by HTTP, 2xx lets them in. */
export class AuthHook {
  private readonly path: string;

  constructor(
    url: string,
    private readonly client: Pool,
  ) {
    const { pathname, search } = new URL(url);
    this.path = pathname + search;
  }

  /** @throws HttpError 403 where the hook says no, 502 where it cannot be asked */
  async ask(question: AuthQuestion, credentials: Readonly<Record<string, string>>): Promise<Person> {
    const answer = await this.post(question, credentials);
    if (answer.status >= 400 && answer.status < 500) throw forbidden();
    if (answer.status < 200 || answer.status >= 300) throw unavailable();
    const person = checkedBy(personSchema, parse(answer.text));
    if (!person.success) throw unavailable();
    return person.data;
  }

  private async post(
    question: AuthQuestion,
    credentials: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const answer = await this.client.request({
        path: this.path,
        method: 'POST',
        headers: { ...credentials, 'content-type': 'application/json' },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      let text = '';
      for await (const chunk of answer.body) {
        text += String(chunk);
        if (text.length > MAX_BYTES) break;
      }
      return { status: answer.statusCode, text };
    } catch (error) {
      throw unavailable(error);
    }
  }

  close(): Promise<void> {
    return this.client.destroy();
  }
}

export const forbidden = (): HttpError => new HttpError(403, ['Forbidden']);

function unavailable(cause?: unknown): HttpError {
  const error = new HttpError(502, ['PUSHER_AUTH_HOOK_URL gives no usable answer: try again']);
  error.cause = cause;
  return error;
}

/** A hook that says yes need not say more. */
function parse(text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
