import { counted } from '../plural';
import { type ChatKind, chatKind, chatNames } from './chat-names';
import type { Condition, Failure, Look } from './condition';
import type { Facts } from './facts';

/** Names that pass, and names that do not; without `only` all others pass. */
export interface Choice {
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
}

/** Conditions in the words of people. An event that says nothing about one of them passes it. */
export interface ShortForm {
  /** `true`: only own messages; `false`: only those of others. */
  readonly fromMe?: boolean | undefined;
  /** `false` leaves out groups; `true` lets only groups pass, and what else is `true`. */
  readonly groups?: boolean | undefined;
  readonly status?: boolean | undefined;
  readonly newsletters?: boolean | undefined;
  readonly chats?: Choice | undefined;
  readonly participants?: Choice | undefined;
  readonly messageTypes?: Choice | undefined;
  readonly olderThanSeconds?: number | undefined;
}

const NAMES: Readonly<Record<keyof ShortForm, true>> = {
  ...{ fromMe: true, groups: true, status: true, newsletters: true },
  ...{ chats: true, participants: true, messageTypes: true, olderThanSeconds: true },
};

/** Whether it is a field of the short form. */
export function isShortForm(name: string): boolean {
  return Object.hasOwn(NAMES, name);
}

/** Why the facts of an event do not pass; undefined where they do. */
type Judge = (facts: Facts, look: Look) => Failure | undefined;

const KINDS = { groups: 'group', status: 'status', newsletters: 'newsletter' } as const;
/** Names of lists that are shown. */
const MAX_SHOWN = 5;

/** One condition for all of the short form, in their order; undefined where nothing is set. */
export function shortFormOf(form: ShortForm): Condition | undefined {
  const judges = [
    fromMeJudge(form.fromMe),
    kindJudge(form),
    chatJudge(form.chats),
    participantJudge(form.participants),
    typeJudge(form.messageTypes),
    ageJudge(form.olderThanSeconds),
  ].filter((judge) => judge !== undefined);
  return judges.length === 0 ? undefined : new ShortFormCondition(judges);
}

class ShortFormCondition implements Condition {
  constructor(private readonly judges: readonly Judge[]) {}

  holds(look: Look): boolean {
    return this.first(look) === undefined;
  }

  failure(look: Look): Failure {
    return this.first(look) ?? { condition: '', wanted: '' };
  }

  private first(look: Look): Failure | undefined {
    for (const judge of this.judges) {
      const failure = judge(look.item.facts, look);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }
}

function fromMeJudge(wanted: boolean | undefined): Judge | undefined {
  if (wanted === undefined) return undefined;
  return ({ fromMe }) =>
    fromMe === undefined || fromMe === wanted ? undefined : { condition: 'fromMe', wanted, found: fromMe };
}

function kindJudge(form: ShortForm): Judge | undefined {
  const fields = Object.entries(KINDS) as [keyof typeof KINDS, ChatKind][];
  const only = new Set(fields.filter(([name]) => form[name] === true).map(([, kind]) => kind));
  const not = new Map(fields.filter(([name]) => form[name] === false).map(([name, kind]) => [kind, name]));
  if (only.size === 0 && not.size === 0) return undefined;
  const chosen = fields.filter(([, kind]) => only.has(kind)).map(([name]) => name);
  return ({ chat: [name] }) => {
    if (name === undefined) return undefined;
    const kind = chatKind(name);
    const refused = not.get(kind);
    if (refused !== undefined) return { condition: refused, wanted: false, found: name };
    if (only.size === 0 || only.has(kind)) return undefined;
    return { condition: chosen.join(', '), wanted: true, found: name };
  };
}

function chatJudge(choice: Choice | undefined): Judge | undefined {
  const chosen = chosenBy(choice, chatNames);
  if (chosen === undefined) return undefined;
  return ({ chat }) => (chat.length === 0 ? undefined : refusal('chats', choice, chosen(chat), chat));
}

/** An event about several members passes where one of them does. */
function participantJudge(choice: Choice | undefined): Judge | undefined {
  const chosen = chosenBy(choice, chatNames);
  if (chosen === undefined) return undefined;
  return ({ participants: all }, { steps }) => {
    const [first] = all;
    if (first === undefined || all.some((names) => steps.take() && chosen(names) === undefined))
      return undefined;
    return refusal('participants', choice, chosen(first), all.slice(0, MAX_SHOWN).flat());
  };
}

function typeJudge(choice: Choice | undefined): Judge | undefined {
  const chosen = chosenBy(choice, (name) => [typeName(name)]);
  if (chosen === undefined) return undefined;
  return ({ messageType }) =>
    messageType === undefined
      ? undefined
      : refusal('messageTypes', choice, chosen([typeName(messageType)]), [messageType]);
}

/**
 * How old the message was when it came here, or was published where the broker knows when that was. An event that has
 * waited in the relay itself is none that was sent again: it passes.
 */
function ageJudge(most: number | undefined): Judge | undefined {
  if (most === undefined) return undefined;
  return ({ writtenAt }, { view }) => {
    const { since } = view.envelope;
    if (writtenAt === undefined || since === undefined) return undefined;
    const seconds = Math.floor((since - writtenAt) / 1000);
    return seconds <= most
      ? undefined
      : { condition: 'olderThanSeconds', wanted: `no older than ${counted(most, 'second')}`, found: seconds };
  };
}

type Part = 'only' | 'except';

/** Which part of a choice refuses something that goes by any of the names; undefined: none does. */
function chosenBy(
  choice: Choice | undefined,
  forms: (name: string) => readonly string[],
): ((names: readonly string[]) => Part | undefined) | undefined {
  if (choice === undefined) return undefined;
  const only = choice.only === undefined ? undefined : new Set(choice.only.flatMap(forms));
  const except = new Set(choice.except?.flatMap(forms));
  return (names) => {
    if (only !== undefined && !names.some((name) => only.has(name))) return 'only';
    return names.some((name) => except.has(name)) ? 'except' : undefined;
  };
}

function refusal(
  field: string,
  choice: Choice | undefined,
  part: Part | undefined,
  found: readonly string[],
): Failure | undefined {
  if (part === undefined) return undefined;
  const wanted = choice?.[part]?.slice(0, MAX_SHOWN);
  return { condition: `${field}.${part}`, wanted, found: found.slice(0, MAX_SHOWN) };
}

/** `imageMessage` of the core API and `image` of evolution-go are the same, and so are the versions of polls. */
function typeName(text: string): string {
  const name = text
    .trim()
    .toLowerCase()
    .replace(/message(v\d+)?$/, '');
  return name === 'extendedtext' || name === 'text' ? 'conversation' : name;
}
