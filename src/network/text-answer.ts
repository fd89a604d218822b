import type { Dispatcher } from 'undici';

/** What somebody answered whose answers are read as a whole; the client bounds how long they may be. */
export interface TextAnswer {
  readonly status: number;
  /** Content type; empty where none was said. */
  readonly type: string;
  /** Where a redirect leads; empty where it is none. */
  readonly location: string;
  readonly text: string;
}

/** Rejects with what the client says of an answer that is too long, or ends early. */
export async function textAnswerOf({
  statusCode,
  headers,
  body,
}: Dispatcher.ResponseData): Promise<TextAnswer> {
  const { 'content-type': type = '', location = '' } = headers;
  return { status: statusCode, type: String(type), location: String(location), text: await body.text() };
}
