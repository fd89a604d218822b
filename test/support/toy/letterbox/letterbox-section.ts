import { z } from 'zod';
import { isHeader } from '../../../../src/config/formats';
import { ADDRESS_RULES, addressField, NEEDS_ADDRESS } from '../../../../src/destinations/http/http-address';
import { Section } from '../../../../src/settings/section';
import { enabledField, eventsField, timeFields } from '../../../../src/settings/section-fields';

const fields = z
  .object({
    enabled: enabledField,
    url: addressField,
    password: z
      .string()
      .max(1000)
      .refine((value) => isHeader('x-password', value), 'must be text that a header can hold')
      .optional(),
    events: eventsField,
    ...timeFields,
  })
  .refine(...NEEDS_ADDRESS);

export type LetterboxSettings = z.output<typeof fields>;

/** An instance's own letterbox. */
export const letterboxSection: Section<LetterboxSettings> = new Section<LetterboxSettings>({
  name: 'letterbox',
  fields,
  secrets: { url: 'address', password: 'text' },
  ...ADDRESS_RULES,
});
