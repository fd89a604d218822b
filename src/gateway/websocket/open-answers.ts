import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers of long polling that are not read yet, by session. engine.io counts what it has handed to HTTP as sent, and
 * takes the next request although the answer to the last one still lies in memory.
 */
export class OpenAnswers {
  private readonly bySession = new Map<string, Set<ServerResponse>>();

  /** A request to socket.io came; nothing of it is checked yet. */
  watch({ method, url = '' }: IncomingMessage, response: ServerResponse): void {
    // What upgrades has no answer of this kind.
    const session = method === 'GET' ? sessionOf(url) : undefined;
    if (session === undefined || typeof response.once !== 'function') return;
    const open = this.bySession.get(session) ?? new Set();
    this.bySession.set(session, open.add(response));
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0 && this.bySession.get(session) === open) this.bySession.delete(session);
    });
  }

  of(session: string): ReadonlySet<ServerResponse> {
    return this.bySession.get(session) ?? NONE;
  }
}

const NONE: ReadonlySet<ServerResponse> = new Set();

function sessionOf(url: string): string | undefined {
  const { searchParams } = new URL(url, 'http://gateway');
  return searchParams.get('transport') === 'polling' ? (searchParams.get('sid') ?? undefined) : undefined;
}
