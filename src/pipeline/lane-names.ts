import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { chatOf, isLid } from '../events/chat';
import type { Envelope } from '../events/envelope';
import type { LaneId } from './delivery';
import type { Ordered } from './destination-limits';

/** Chats whose two names are remembered. */
const MAX_CHATS = 100_000;

/**
 * Says which lane an event is in: that of its chat or, where it is about none, that of its instance. A chat is one under its
 * number and its LID: an event that names both teaches it.
 */
export class LaneNames {
  /** By LID and instance; made when it is first needed, as it takes memory at once. */
  private numbers: LRUCache<string, string> | undefined;

  /** @param key of the destination, as in the ids of its deliveries */
  of(envelope: Envelope, key: string, ordered: Ordered): LaneId {
    const chat = ordered === 'chat' ? this.chatOf(envelope) : '';
    const name = JSON.stringify([envelope.instance, chat]);
    return `${hash('sha256', name, 'base64url').slice(0, 22)}${key}` as LaneId;
  }

  private chatOf(envelope: Envelope): string {
    const chat = chatOf(envelope);
    if (chat === undefined) return '';
    const { name, other } = chat;
    this.numbers ??= new LRUCache<string, string>({ max: MAX_CHATS });
    if (!isLid(name)) {
      if (other !== undefined) this.numbers.set(keyOf(envelope, other), name);
      return name;
    }
    if (other !== undefined) this.numbers.set(keyOf(envelope, name), other);
    return this.numbers.get(keyOf(envelope, name)) ?? name;
  }
}

/** The length keeps the two apart: either may have spaces. */
function keyOf({ instance }: Envelope, lid: string): string {
  return `${lid.length} ${lid}${instance}`;
}
