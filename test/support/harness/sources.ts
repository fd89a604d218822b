import type { SourceMessage } from '../../../src/pipeline/message';
import type { Source } from '../../../src/sources/source';
import { eventually, type Happenings } from '../signals/signals';

export function untilReady(source: Source): Promise<true> {
  return eventually(() => source.state.ready || undefined, `ready, but: ${source.state.detail}`);
}

export function texts(messages: Happenings<SourceMessage>): string[] {
  return messages.all.map(({ body }) => body.toString());
}
