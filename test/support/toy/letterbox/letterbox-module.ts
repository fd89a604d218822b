import type { FastifyInstance } from 'fastify';
import { instanceId } from '../../../../src/destinations/destination-ids';
import { inspectAddresses } from '../../../../src/destinations/http/address-doctor';
import type {
  DestinationModule,
  DestinationRoutes,
  InspectionContext,
  RoutesContext,
} from '../../../../src/destinations/module';
import { notFound } from '../../../../src/http-api/http-errors';
import { describe } from '../../../../src/http-api/openapi';
import type { Finding } from '../../../../src/observability/finding';
import { letterboxConfig } from './letterbox-config';
import { letterboxSection } from './letterbox-section';
import { Letterboxes } from './letterboxes';

/** A destination that nobody needs, made as one that somebody does would be. */
export const letterboxModule: DestinationModule = {
  kind: 'letterbox',
  eventsPerRequest: 1,
  config: letterboxConfig,
  section: letterboxSection,
  global: {
    name: 'LETTERBOX_URL',
    isSet: (config) => letterboxConfig.of(config).global !== undefined,
  },
  open: ({ config }) => new Letterboxes(config),
  routes: async (context) => letterboxRoutes(context),
  inspect: async (context) => [
    ...inspectPasswords(context),
    ...(await inspectAddresses({
      ...context,
      kind: 'letterbox',
      section: letterboxSection,
      global: letterboxConfig.of(context.config).global?.url,
    })),
  ],
};

function letterboxRoutes({ guards, instances }: RoutesContext): DestinationRoutes {
  return {
    add: (server: FastifyInstance) => {
      server.get<{ Params: { instance: string } }>(
        '/letterbox/host/:instance',
        { onRequest: guards.instance, schema: describe('letterbox', 'Host of an instance’s letterbox') },
        async ({ params }) => {
          const letterbox = letterboxSection.of(await instances.find(params.instance));
          if (letterbox === undefined) throw notFound(`${params.instance} has no letterbox`);
          return { host: new URL(letterbox.url).host };
        },
      );
    },
    close: async () => {},
  };
}

function inspectPasswords({ settings }: InspectionContext): Finding[] {
  return [...settings].flatMap(([instance, each]) =>
    letterboxSection.all(each).map(
      ({ value }): Finding => ({
        part: instanceId('letterbox', instance),
        check: 'password',
        state: value.password === undefined ? 'note' : 'ok',
        detail: value.password === undefined ? 'has none' : 'is set',
      }),
    ),
  );
}
