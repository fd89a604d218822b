import { z } from 'zod';
import type { Config } from '../config/config';
import type { EventFilter } from '../events/filter';
import type { Normalise } from '../events/normalise';
import { isChatName } from '../filters/chat-names';
import {
  type ContentConditions,
  ContentFilter,
  filterProblems,
  filterWarnings,
} from '../filters/content-filter';
import { MAX_LIST } from '../filters/filter-limits';
import { deliveryFields } from '../settings/delivery-fields';
import { filterOf } from '../settings/document';
import { shapedLike } from '../settings/own-words';
import type { SectionCheck, SectionValue } from '../settings/section';

/** Fields that the sections of all destinations have, beside those of every section. */

export const MAX_AGE_SECONDS = 315_360_000;

/** Taken as it is: what a schema for all of it would leave out, such as a name `__proto__`, would let events pass. */
const filter = z
  .unknown()
  .superRefine((value, context) => {
    for (const { path, problem } of filterProblems(value))
      context.addIssue({ code: 'custom', path: [...path], message: problem });
  })
  .meta({
    type: 'object',
    description: 'conditions on what events say, such as {"data.key.remoteJid": {"$endsWith": "@g.us"}}',
  });

function choiceOf(
  name: z.ZodString,
  example: string,
): z.ZodType<{ only?: string[] | undefined; except?: string[] | undefined }> {
  const list = z
    .array(name, shapedLike(`a list, such as ["${example}"]`))
    .min(1, 'must name at least one')
    .max(MAX_LIST, `must be no more than ${MAX_LIST}`)
    .optional();
  return z
    .strictObject({ only: list, except: list }, shapedLike(`an object, such as {"only": ["${example}"]}`))
    .refine((choice) => Object.keys(choice).length > 0, 'must have only, except, or both: each a list');
}

const chat = z
  .string()
  .max(100)
  .refine(isChatName, 'must be a number or the name of a chat, such as 120363000000000001@g.us');

/** What a destination wants of what events say (docs/filters.md). */
export const contentFields = {
  filter: filter.optional(),
  fromMe: z.boolean().optional().describe('true: only own messages; false: only those of others'),
  groups: z.boolean().optional().describe('false leaves out groups; true lets only groups pass'),
  status: z.boolean().optional().describe('false leaves out status@broadcast; true lets only that pass'),
  newsletters: z.boolean().optional().describe('false leaves out newsletters; true lets only those pass'),
  chats: choiceOf(chat, '5511988887777').optional().describe('chats that pass, or do not'),
  participants: choiceOf(chat, '5511988887777')
    .optional()
    .describe('members of groups whose events pass, or do not'),
  messageTypes: choiceOf(z.string().min(1).max(100), 'imageMessage')
    .optional()
    .describe('such as imageMessage'),
  olderThanSeconds: z
    .int()
    .min(1)
    .max(MAX_AGE_SECONDS)
    .optional()
    .describe('leaves out messages that are older, such as history sent again'),
};

/** In what form a destination wants events (docs/normalise.md). */
export const normaliseField = z
  .strictObject(
    {
      lid: z.boolean().optional().describe('phone numbers in place of LIDs, as far as they are known'),
      media: z.literal('link').optional().describe('link: a link to the gateway in place of base64'),
      bytes: z.boolean().optional().describe('byte objects as base64 and Longs as decimal text'),
    },
    shapedLike('an object, such as {"bytes": true}'),
  )
  .optional()
  .describe('what is written in another way than it came; all else stays to the byte');

/** Everything that may be set for a destination of any kind. */
export const destinationFields = { ...deliveryFields, ...contentFields, normalise: normaliseField };

export type DestinationSettings = SectionValue &
  ContentConditions & { readonly normalise?: Normalise | undefined };

/** What a destination wants: events by their names, and by what they say. */
export interface Wants {
  readonly events: EventFilter;
  readonly content?: ContentFilter | undefined;
}

/** Made once, when settings are read. @throws FilterInvalidError */
export function wantsOf(settings: DestinationSettings): Wants {
  return { events: filterOf(settings.events), content: ContentFilter.of(settings) };
}

/** What may be a mistake although it may be set. */
export function destinationWarnings(
  { filter: conditions, normalise }: DestinationSettings,
  path: string,
  { references }: Config,
): SectionCheck {
  const ofFilter = conditions === undefined ? [] : filterWarnings(conditions);
  const hasNoLinks = normalise?.media === 'link' && references.baseUrl === undefined;
  return {
    warnings: [
      ...ofFilter.map((warning) => `${path}.filter: ${warning}`),
      ...(hasNoLinks ? [`${path}.normalise.media: GATEWAY_URL is not set, so media stays base64`] : []),
    ],
  };
}
