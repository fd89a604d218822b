import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import { type Fields, Section, type SectionChecker } from '../../settings/section';
import { enabledField, eventsField, timeFields } from '../../settings/section-fields';
import { destinationFields, destinationWarnings } from '../destination-fields';
import { originOf } from './pusher-address';
import { isClusterName, isHostName, pusherConfig } from './pusher-config';
import { instanceNameProblem } from './pusher-names';

const text = z.string().max(100);
/** They become part of an address. */
const clusterName = text.min(1).refine(isClusterName, 'must be the short name of a cluster, such as us2');
const NO_CLUSTER =
  'is required: the short name of a cluster, such as us2; or host, of a Pusher-compatible server';
const appId = text.regex(/^[\w-]*$/, 'must be of letters, digits and hyphens');
const hostName = z
  .string()
  .max(255)
  .refine(isHostName, 'must be the name or address of a host, without scheme, port and path');

/** Needed unless the app is switched off. */
const NEEDED = ['appId', 'key', 'secret'] as const;
/** Checks of the whole run even if those of single fields fail, so that all problems are reported at once. */
const when = ({ value }: { readonly value: unknown }): boolean => typeof value === 'object' && value !== null;

const allFields = z
  .object({
    enabled: enabledField,
    appId: appId.default(''),
    key: text.default(''),
    secret: text.default(''),
    cluster: z.literal('').or(clusterName).default('').describe('needed unless host is set'),
    useTLS: z.boolean().default(true),
    host: hostName.optional().describe('a Pusher-compatible server instead of a cluster'),
    port: z.int().min(1).max(65_535).optional(),
    events: eventsField,
    ...destinationFields,
    ...timeFields,
  })
  .refine(({ enabled, cluster, host }) => !enabled || cluster !== '' || host !== undefined, {
    path: ['cluster'],
    error: NO_CLUSTER,
    when,
  });

const fields = NEEDED.reduce(
  (schema, name) =>
    schema.refine((value) => !value.enabled || value[name] !== '', {
      path: [name],
      error: 'is required',
      when,
    }),
  allFields,
);

export type PusherSettings = z.output<typeof fields>;

/** An instance's own Pusher app. */
export const pusherSection: Section<PusherSettings> = new Section({
  name: 'pusher',
  fields,
  essential: NEEDED,
  secrets: { secret: 'text' },
  isSamePlace: (now, before) =>
    (before['appId'] ?? '') === '' || isDeepStrictEqual(placeOf(now), placeOf(before)),
  obstacle: (config) =>
    pusherConfig.of(config).enabled ? undefined : 'PUSHER_ENABLED is false: nothing is sent to Pusher',
  checker: appChecker,
});

function placeOf({ host, port, cluster = '', useTLS = true }: Fields): unknown[] {
  return [host, port, cluster, useTLS];
}

/** What is wrong with the app of an instance, as far as the settings themselves show it. */
function appChecker(config: Config): SectionChecker<PusherSettings> {
  const { channelPrefix } = pusherConfig.of(config);
  const guard = new AddressGuard(config.outgoing.allowedNetworks);
  return {
    check: (instance, settings, path) => {
      if (!settings.enabled) return {};
      const problem =
        instanceNameProblem(instance, channelPrefix) ??
        guard.checkUrl(originOf(settings))?.replace(/^url/, 'host');
      const warned = destinationWarnings(settings, path, config);
      return problem === undefined ? warned : { ...warned, problems: [`${path}: ${problem}`] };
    },
  };
}
