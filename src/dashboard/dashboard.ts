import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config/gateway-config';
import { DestinationList } from '../health/destination-list';
import type { ErrorContext } from '../http-api/http-errors';
import type { Keys } from '../http-api/keys';
import { TenantSearches } from '../http-api/tenant-searches';
import { FlowStore } from '../ledger/flow-store';
import type { Logger } from '../observability/logging';
import { describeError } from '../observability/report';
import type { Replays } from '../replays/open-replays';
import type { RetryStore } from '../retry/retry-store';
import { SilenceStore } from '../silence/silence-store';
import { Assets } from './assets';
import { DashboardKeys } from './dashboard-keys';
import { DeliveryReader } from './delivery-reader';
import { EndedSessions } from './ended-sessions';
import type { DescribedSection } from './form-fields';
import { jobBoard } from './job-board';
import { logInRoutes } from './log-in';
import { Overviews } from './overviews';
import { OwnApi } from './own-api';
import { Pages } from './pages';
import { RecentAttempts } from './recent-attempts';
import type { ScreenSet } from './screen';
import { destinationActions } from './screens/destination-actions';
import { DestinationAddresses } from './screens/destination-addresses';
import { DestinationScreen } from './screens/destination-screen';
import { destinationsScreen } from './screens/destinations-screen';
import { furtherScreens } from './screens/further-screens';
import { nowScreen } from './screens/now-screen';
import { queuesScreen } from './screens/queues-screen';
import { SessionCookies } from './session-cookies';
import type { Viewer } from './viewer';

export interface DashboardParts {
  readonly config: Pick<GatewayConfig, 'apiKey' | 'readKey' | 'publicUrl'>;
  readonly keys: Keys;
  /** SHA-256 of an instance's token. */
  readonly tokenDigestOf: (instance: string) => Promise<Buffer | undefined>;
  readonly store: RetryStore;
  readonly replays: Replays;
  /** Of all instances that have some. */
  readonly allSettings: () => AsyncIterable<readonly [instance: string, settings: unknown]>;
  /** What may be set for an instance. */
  readonly sections: readonly DescribedSection[];
  readonly errors: ErrorContext;
  readonly log: Logger;
}

/** Once a minute is written down by one gateway; asking more often costs a call that does nothing. */
const SAMPLE_MS = 15_000;
/** Of one instance at once: somebody may have several pages open. */
const MOST_SEARCHES = 4;

/** The dashboard: pages for people, made of what the gateway's routes and stores know. */
export class Dashboard {
  private readonly flows: FlowStore;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: DashboardParts) {
    this.flows = new FlowStore(parts.store);
  }

  /** Begins the history: it is there when somebody looks. */
  start(): void {
    this.timer ??= setInterval(() => {
      // What cannot be written down is missing in a plot, and nowhere else.
      this.flows.sample().catch(() => {});
    }, SAMPLE_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async add(server: FastifyInstance): Promise<void> {
    const { config, keys, tokenDigestOf, errors, log } = this.parts;
    const { apiKey, readKey, publicUrl } = config;
    const assets = new Assets();
    const ended = new EndedSessions(this.parts.store);
    const cookies = new SessionCookies({ apiKey, readKey, tokenDigestOf, ended });
    const pages = new Pages({
      ...{ assets, cookies, errors, publicUrl },
      onAction: ({ by, what, ok }) => log.info('dashboard: action', { ...named(by), what, ok }),
    });
    await server.register(async (scope) => {
      pages.prepare(scope);
      assets.addTo(scope);
      logInRoutes(scope, {
        ...{ pages, cookies },
        keys: new DashboardKeys({ keys, readKey }),
        onLogIn: (viewer, address) => log.info('dashboard: log-in', { ...named(viewer), address }),
        onLogOut: (viewer, failure) => {
          if (failure === undefined) log.info('dashboard: log-out', named(viewer));
          else
            log.warn('dashboard: a copy of the cookie outlives the log-out', {
              ...named(viewer),
              ...describeError(failure),
            });
        },
      });
      for (const { screens = [], actions = [], data = [] } of this.screens(new OwnApi(server, keys))) {
        for (const each of screens) pages.addScreen(scope, each);
        for (const each of actions) pages.addAction(scope, each);
        for (const each of data) pages.addData(scope, each);
      }
      pages.addUnknown(scope);
    });
    const guard = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> =>
      pages.admit(request, reply, 'operators');
    await jobBoard(server, { store: this.parts.store, guard });
  }

  /** All there are, one file each. */
  private screens(api: OwnApi): ScreenSet[] {
    const { store, replays, allSettings, sections } = this.parts;
    const { log } = replays;
    const { flows } = this;
    const destinations = new DestinationList(store);
    const silence = new SilenceStore(store);
    const overviews = new Overviews({ flows, destinations, silence });
    const attempts = new RecentAttempts(log);
    const addresses = new DestinationAddresses(api);
    const searches = new TenantSearches(MOST_SEARCHES);
    const reader = new DeliveryReader(log, searches);
    const screen = new DestinationScreen({
      ...{ overviews, destinations, reader, replays: replays.store, addresses },
    });
    return [
      nowScreen({ overviews, flows, destinations, attempts }),
      destinationsScreen({ overviews, destinations, attempts }),
      { screens: [screen], actions: destinationActions({ api, addresses, screen }) },
      queuesScreen({ overviews, store }),
      ...furtherScreens({ api, overviews, destinations, replays, silence, allSettings, reader, sections }),
    ];
  }
}

/** As the log names who did something: by the kind of the key. */
function named(viewer: Viewer): { readonly by: string; readonly instance?: string } {
  return viewer.kind === 'instance' ? { by: viewer.kind, instance: viewer.instance } : { by: viewer.kind };
}
