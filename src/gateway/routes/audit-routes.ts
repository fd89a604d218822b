import type { FastifyInstance } from 'fastify';
import { fromStore } from '../../errors';
import type { Guards } from '../../http-api/guards';
import { describe } from '../../http-api/openapi';
import { audit } from '../../ledger/audit';
import type { RetryStore } from '../../retry/retry-store';

export interface AuditRoutesParts {
  readonly store: RetryStore;
  readonly guards: Guards;
}

export function auditRoutes(server: FastifyInstance, { store, guards }: AuditRoutesParts): void {
  server.get(
    '/audit',
    {
      onRequest: guards.operator,
      schema: describe(
        'operations',
        'accepted = delivered + parked + dead + discarded, for every destination',
      ),
    },
    async () => {
      const { destinations, largest } = await fromStore(audit(store));
      return { balanced: destinations.every(({ difference }) => difference === 0), destinations, largest };
    },
  );
}
