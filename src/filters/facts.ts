import { filterKey } from '../events/catalogue';
import type { Envelope } from '../events/envelope';
import { chatKind, chatName, isChatName } from './chat-names';

/**
 * What one item of an event says about itself, in the words of the short form. The core API and evolution-go have other
 * fields for the same; an event that says nothing about one of them leaves it out.
 */
export class Facts {
  private members: readonly (readonly string[])[] | undefined;

  constructor(private readonly parts: FactsParts) {}

  /** Names of the chat: one may go by its number and by its LID. */
  get chat(): readonly string[] {
    return this.parts.chat;
  }

  get fromMe(): boolean | undefined {
    return this.parts.fromMe;
  }

  /** Members of the group that it is from or about, each with its names. There may be thousands: found where asked for. */
  get participants(): readonly (readonly string[])[] {
    this.members ??= this.parts.participants?.() ?? [];
    return this.members;
  }

  get messageType(): string | undefined {
    return this.parts.messageType;
  }

  /** When the message was written, epoch milliseconds; only of events that bring messages. */
  get writtenAt(): number | undefined {
    return this.parts.writtenAt;
  }
}

interface FactsParts {
  readonly chat: readonly string[];
  readonly fromMe?: boolean | undefined;
  readonly participants?: () => readonly (readonly string[])[];
  readonly messageType?: string | undefined;
  readonly writtenAt?: number | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

const BRING_MESSAGES: ReadonlySet<string> = new Set(['MESSAGES_UPSERT', 'MESSAGES_SET', 'SEND_MESSAGE']);
/** Members of one group that are looked at. */
const MAX_PARTICIPANTS = 2000;

export function factsOf(item: unknown, { core, event }: Envelope): Facts {
  // chats.delete lists names.
  if (typeof item === 'string' && isChatName(item)) return new Facts({ chat: namesOf([item]) });
  if (!isFields(item)) return new Facts({ chat: [] });
  return new Facts(core === 'go' ? goFacts(item) : coreFacts(item, filterKey(event)));
}

/** evolution-go writes its fields with a capital; those of a message lie in `Info`. */
function goFacts(item: Fields): FactsParts {
  const info = isFields(item['Info']) ? item['Info'] : item;
  const { Chat, JID, From, Sender, SenderAlt, RecipientAlt, IsFromMe, Timestamp } = info;
  const first = [Chat, JID, From].find((name) => typeof name === 'string' && name !== '');
  const isDirect = typeof first === 'string' && chatKind(chatName(first)) === 'direct';
  const written = info === item || typeof Timestamp !== 'string' ? Number.NaN : Date.parse(Timestamp);
  return {
    chat: namesOf([first, ...(isDirect ? [IsFromMe === true ? RecipientAlt : SenderAlt] : [])]),
    fromMe: typeof IsFromMe === 'boolean' ? IsFromMe : undefined,
    participants: () => (isDirect ? [] : people([[Sender, SenderAlt]])),
    messageType: textOf(item['messageType']),
    writtenAt: Number.isNaN(written) ? undefined : written,
  };
}

function coreFacts(item: Fields, key: string): FactsParts {
  const of = isFields(item['key']) ? item['key'] : item;
  const fromMe = of['fromMe'] ?? item['fromMe'];
  return {
    chat: coreChat(item, of),
    fromMe: typeof fromMe === 'boolean' ? fromMe : undefined,
    participants: () => coreParticipants(item, of),
    messageType: textOf(item['messageType']),
    writtenAt: BRING_MESSAGES.has(key) ? epochMs(item['messageTimestamp']) : undefined,
  };
}

function coreChat(item: Fields, of: Fields): string[] {
  const { remoteJid, remoteJidAlt, senderPn, senderLid } = of;
  if (typeof remoteJid === 'string') {
    const isPerson = chatKind(chatName(remoteJid)) === 'direct';
    return namesOf([remoteJid, remoteJidAlt, item['remoteLid'], ...(isPerson ? [senderPn, senderLid] : [])]);
  }
  const { groupJid, chatId, from, callerPn, id } = item;
  if (typeof groupJid === 'string') return namesOf([groupJid]);
  if (typeof chatId === 'string' || typeof from === 'string') return namesOf([chatId ?? from, callerPn]);
  // Ids of messages have no @; those of chats, groups and presences are names.
  return typeof id === 'string' && id.includes('@') ? namesOf([id]) : [];
}

function coreParticipants(item: Fields, of: Fields): string[][] {
  const { participants, participantsData, author } = item;
  if (Array.isArray(participants)) {
    // participants.update: the same people in two lists, of which one has their numbers.
    const data: readonly unknown[] = Array.isArray(participantsData) ? participantsData : [];
    const members = participants.slice(0, MAX_PARTICIPANTS);
    return people(members.map((member, index) => [...identities(member), ...identities(data[index])]));
  }
  const { remoteJid } = of;
  if (typeof remoteJid !== 'string') return people([[author], ...presentMembers(item)]);
  if (chatKind(chatName(remoteJid)) === 'direct') return [];
  const { participant, participantAlt, participantPn, participantLid, senderPn, senderLid } = of;
  return people([
    [participant ?? item['participant'], participantAlt, participantPn, participantLid, senderPn, senderLid],
  ]);
}

/** Of a presence.update: whose presence it is lies in the names of an object. */
function presentMembers({ id, presences }: Fields): string[][] {
  if (typeof id !== 'string' || !isFields(presences) || chatKind(chatName(id)) === 'direct') return [];
  return Object.keys(presences)
    .slice(0, MAX_PARTICIPANTS)
    .map((name) => [name]);
}

function identities(member: unknown): unknown[] {
  if (!isFields(member)) return [member];
  const { id, jid, lid, phoneNumber } = member;
  return [id, jid, lid, phoneNumber];
}

function people(all: readonly (readonly unknown[])[]): string[][] {
  return all.map(namesOf).filter((names) => names.length > 0);
}

function namesOf(values: readonly unknown[]): string[] {
  const names = values.filter((value): value is string => typeof value === 'string' && value !== '');
  return [...new Set(names.map(chatName))];
}

/** Seconds as a number, as text, or as the two halves of a Long, which the core API sends since 2.3.6. */
function epochMs(value: unknown): number | undefined {
  const seconds = isFields(value)
    ? Number(value['high']) * 2 ** 32 + (Number(value['low']) >>> 0)
    : typeof value === 'string' && value !== ''
      ? Number(value)
      : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
