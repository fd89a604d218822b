import { z } from 'zod';
import type { Config } from '../../config/config';
import { httpUrl } from '../../config/formats';
import { AddressGuard } from '../../network/address-guard';
import { hasSameOrigin } from '../../settings/masked-url';
import type { Fields, SectionChecker } from '../../settings/section';

const MAX_LENGTH = 500;

/** The field `url` of a section: where an instance wants its events sent. */
export const addressField = z
  .string({
    error: ({ input }) => (input === undefined ? `is required: ${httpUrl.allowed}` : 'must be text'),
  })
  .max(MAX_LENGTH, `must be no longer than ${MAX_LENGTH} characters`)
  .refine((value) => httpUrl.parse(value) !== undefined, `must be ${httpUrl.allowed}`);

/** What a section with such a field says of it: stored secrets go to no other origin, and nobody is let into the operator's network. */
export const ADDRESS_RULES = {
  isSamePlace: ({ url: now }: Fields, { url: before }: Fields): boolean =>
    typeof now !== 'string' || typeof before !== 'string' || hasSameOrigin(now, before),
  checker: ({ outgoing }: Config): SectionChecker<{ readonly url: string }> => {
    const guard = new AddressGuard(outgoing.allowedNetworks);
    // What the worker would refuse to connect to is refused here already.
    return {
      check: (_instance, { url }, path) => {
        const problem = guard.checkUrl(url);
        return problem === undefined ? {} : { problems: [`${path}.${problem}`] };
      },
    };
  },
};
