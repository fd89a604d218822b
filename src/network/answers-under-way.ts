import type { ServerResponse } from 'node:http';

/**
 * Answers of one connection. One that waits for those before it, as its request was pipelined, has no socket yet: where the
 * connection ends before its turn, Node.js never closes it, and whatever is given back with it would be held for ever.
 */
export class AnswersUnderWay {
  private readonly answers = new Set<ServerResponse>();

  begin(response: ServerResponse): void {
    this.answers.add(response);
    response.once('close', () => this.answers.delete(response));
  }

  /** Their connection is gone. */
  end(): void {
    for (const response of this.answers) {
      // Node.js closes the one whose turn it is, and those that are done.
      if (response.socket !== null || response.writableFinished) continue;
      response.destroy();
      response.emit('close');
    }
  }
}
