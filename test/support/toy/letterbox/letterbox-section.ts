import { z } from 'zod';
import { httpUrl, isHeader } from '../../../../src/config/formats';
import { AddressGuard } from '../../../../src/network/address-guard';
import { hasSameOrigin } from '../../../../src/settings/masked-url';
import { Section } from '../../../../src/settings/section';
import { enabledField, eventsField, timeFields } from '../../../../src/settings/section-fields';

const fields = z.object({
  enabled: enabledField,
  url: z
    .string()
    .max(500)
    .refine((value) => httpUrl.parse(value) !== undefined, `must be ${httpUrl.allowed}`),
  password: z
    .string()
    .max(1000)
    .refine((value) => isHeader('x-password', value), 'must be text that a header can hold')
    .optional(),
  events: eventsField,
  ...timeFields,
});

export type LetterboxSettings = z.output<typeof fields>;

/** An instance's own letterbox. */
export const letterboxSection: Section<LetterboxSettings> = new Section({
  name: 'letterbox',
  fields,
  secrets: { url: 'address', password: 'text' },
  isSamePlace: ({ url: now }, { url: before }) =>
    typeof now !== 'string' || typeof before !== 'string' || hasSameOrigin(now, before),
  checker: ({ outgoing }) => {
    const guard = new AddressGuard(outgoing.allowedNetworks);
    return {
      check: (_instance, { url }, path) => {
        const problem = guard.checkUrl(url);
        return problem === undefined ? {} : { problems: [`${path}.${problem}`] };
      },
    };
  },
});
