import { z } from 'zod';
import type { Config } from '../../config/config';
import { HTTP_PROTOCOLS, httpUrl, isAddress } from '../../config/formats';
import { AddressGuard } from '../../network/address-guard';
import { hasSameOrigin } from '../../settings/masked-url';
import type { Fields, SectionChecker } from '../../settings/section';

const MAX_LENGTH = 500;

/** The field `url` of a section: where an instance wants its events sent. */
export const addressField = z
  .string('must be text')
  .trim()
  .max(MAX_LENGTH, `must be no longer than ${MAX_LENGTH} characters`)
  .refine((value) => value === '' || isAddress(value, HTTP_PROTOCOLS), `must be ${httpUrl.allowed}`)
  .default('')
  .describe('needed unless enabled is false');

/** How a section with such a field is refined (`fields.refine(...NEEDS_ADDRESS)`): what is switched on needs one. */
export const NEEDS_ADDRESS = [
  ({ enabled, url }: { readonly enabled: boolean; readonly url: string }): boolean => !enabled || url !== '',
  {
    path: ['url'],
    error: `is required: ${httpUrl.allowed}`,
    // This check runs even if others fail, so that all problems are reported at once.
    when: ({ value }: { readonly value: unknown }): boolean => typeof value === 'object' && value !== null,
  },
] as const satisfies readonly [unknown, { path: string[]; error: string; when: unknown }];

/** What a section with such a field says of it: stored secrets go to no other origin, and nobody is let into the operator's network. */
export const ADDRESS_RULES = {
  essential: ['url'],
  isSamePlace: ({ url: now }: Fields, { url: before }: Fields): boolean =>
    typeof now !== 'string' || typeof before !== 'string' || before === '' || hasSameOrigin(now, before),
  checker: ({ outgoing }: Config): SectionChecker<{ readonly enabled: boolean; readonly url: string }> => {
    const guard = new AddressGuard(outgoing.allowedNetworks);
    // What the worker would refuse to connect to is refused here already.
    return {
      check: (_instance, { enabled, url }, path) => {
        const problem = enabled ? guard.checkUrl(url) : undefined;
        return problem === undefined ? {} : { problems: [`${path}.${problem}`] };
      },
    };
  },
};
