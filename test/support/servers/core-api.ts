import { randomUUID } from 'node:crypto';
import { CORE_KEYS } from '../../../src/events/catalogue';
import { HttpTarget, type ReceivedRequest } from './http-target';

type Row = Record<string, unknown>;
type Answered = readonly [status: number, body?: unknown];

/** What stands between a client and the core. */
export type Front = (
  request: ReceivedRequest,
) => { status: number; type: string; body: string; location?: string } | undefined;

const SECTIONS = ['webhook', 'pusher', 'websocket', 'rabbitmq', 'sqs'] as const;
type SectionName = (typeof SECTIONS)[number];

export const CORE_KEY = 'global-key-of-the-core';

/** Where a core sends the events of an instance. */
export interface CoreOutputs {
  /** Its own webhook; the body is what it sends. */
  readonly webhook: (url: string, body: object) => void;
  /** Its exchange. */
  readonly publish: (event: string, body: object) => Promise<void>;
}

/**
 * The core API's REST routes of settings, as its clients know them (docs/core-api.md#rest), and how it delivers: to the
 * webhook that its row has at the moment of the event, and to its exchange.
 */
export class CoreApiServer {
  /** By instance and section. */
  readonly rows = new Map<string, Map<SectionName, Row>>();
  readonly tokens = new Map<string, string>();
  /** Transports that the core's own configuration switches off. */
  readonly off = new Set<string>();
  front: Front = () => undefined;
  private asked = 0;
  private open = 0;
  /** Requests under way at once, at the most. */
  peak = 0;
  outputs: CoreOutputs = { webhook: () => {}, publish: async () => {} };
  /** Events that it delivered itself. */
  posts = 0;

  private constructor(private readonly target: HttpTarget) {
    target.answer = (response, request) => {
      this.asked++;
      this.peak = Math.max(this.peak, ++this.open);
      const front = this.front(request);
      const answer = front ?? shown(this.answerTo(request));
      // A turn later, so that requests at once are seen as such.
      setImmediate(() => {
        this.open--;
        const location = front?.location === undefined ? {} : { location: front.location };
        response.writeHead(answer.status, { 'content-type': answer.type, ...location }).end(answer.body);
      });
    };
  }

  static async start(): Promise<CoreApiServer> {
    return new CoreApiServer(await HttpTarget.start());
  }

  get url(): string {
    return this.target.url;
  }

  get requests(): number {
    return this.asked;
  }

  get paths(): readonly string[] {
    return this.target.received.all.map(({ method, path }) => `${method} ${path}`);
  }

  stop(): Promise<void> {
    return this.target.stop();
  }

  add(name: string, sections: Partial<Record<SectionName, Row>> = {}): void {
    this.rows.set(name, new Map());
    this.tokens.set(name, `token-of-${name}`);
    for (const [section, body] of Object.entries(sections))
      this.store(name, section as SectionName, { enabled: true, events: [], ...body });
  }

  row(name: string, section: SectionName): Row | undefined {
    const {
      id: _id,
      createdAt: _created,
      updatedAt: _updated,
      instanceId: _instance,
      ...row
    } = this.rows.get(name)?.get(section) ?? {};
    return Object.keys(row).length === 0 ? undefined : row;
  }

  /** One event of an instance, to everything that it has at this moment. */
  async emit(instance: string, event: string, data: unknown): Promise<void> {
    const body = { event, instance, data, date_time: new Date().toISOString(), apikey: null };
    const webhook = this.rows.get(instance)?.get('webhook');
    const key = event.replaceAll(/[.-]/g, '_').toUpperCase();
    const events = webhook?.['events'];
    if (webhook?.['enabled'] === true && Array.isArray(events) && events.includes(key)) {
      this.posts++;
      this.outputs.webhook(String(webhook['url']), body);
    }
    await this.outputs.publish(event, body);
  }

  private answerTo({ method, path, headers, body }: ReceivedRequest): Answered {
    const [route = ''] = path.split('?');
    const [, first = '', second = '', third = ''] = route.split('/').map(decodeURIComponent);
    if (route === '/instance/fetchInstances') {
      return headers['apikey'] === CORE_KEY
        ? [200, [...this.rows.keys()].map((name) => this.instance(name))]
        : UNAUTHORIZED;
    }
    if (!isSection(first) || !['find', 'set'].includes(second)) return notFound(`Cannot ${method} ${route}`);
    // The instance is looked for before the key is.
    if (!this.rows.has(third)) return notFound(`The "${third}" instance does not exist`);
    if (headers['apikey'] !== CORE_KEY && headers['apikey'] !== this.tokens.get(third)) return UNAUTHORIZED;
    if (this.off.has(first)) return [method === 'POST' ? 201 : 200];
    if (second === 'find') return [200, this.rows.get(third)?.get(first) ?? null];
    return this.set(third, first, (JSON.parse(body.toString('utf8')) as Row)[first] as Row | undefined);
  }

  private set(name: string, section: SectionName, given: Row | undefined): Answered {
    if (given === undefined) return [500, failure(500, 'Internal Server Error', 'TypeError')];
    const required = {
      webhook: ['enabled', 'url'],
      pusher: ['enabled', 'appId', 'key', 'secret', 'cluster', 'useTLS'],
    };
    const missing = (section in required ? required[section as keyof typeof required] : ['enabled']).find(
      (field) => given[field] === undefined,
    );
    if (missing !== undefined)
      return [400, failure(400, 'Bad Request', [[`${section} requires property "${missing}"`]])];
    if (given['enabled'] === true && given['events'] === undefined)
      return [
        500,
        failure(500, 'Internal Server Error', "Cannot read properties of undefined (reading 'length')"),
      ];
    return [201, this.store(name, section, given)];
  }

  private store(name: string, section: SectionName, given: Row): Row {
    const rows = this.rows.get(name) ?? new Map<SectionName, Row>();
    const before = rows.get(section) ?? { id: `c${randomUUID()}`, createdAt: new Date().toISOString() };
    const { byEvents, base64, events, enabled, ...others } = given;
    const list = events as readonly string[];
    const row = {
      ...before,
      ...others,
      ...(section === 'webhook'
        ? { webhookByEvents: byEvents ?? false, webhookBase64: base64 ?? false }
        : {}),
      enabled,
      // Off, it forgets what was chosen; none chosen is all.
      events: enabled === true ? (list.length === 0 ? CORE_KEYS : list) : [],
      updatedAt: new Date().toISOString(),
      instanceId: idOf(name),
    };
    rows.set(section, row);
    this.rows.set(name, rows);
    return row;
  }

  private instance(name: string): Row {
    return { id: idOf(name), name, connectionStatus: 'open', token: this.tokens.get(name) };
  }
}

export function idOf(name: string): string {
  return `id-of-${name}`;
}

const UNAUTHORIZED: Answered = [401, failure(401, 'Unauthorized', 'Unauthorized')];

function notFound(message: string): Answered {
  return [404, failure(404, 'Not Found', [message])];
}

function failure(status: number, error: string, message: unknown): Row {
  return { status, error, response: { message } };
}

function shown([status, body]: Answered): { status: number; type: string; body: string } {
  return {
    status,
    type: 'application/json; charset=utf-8',
    body: body === undefined ? '' : JSON.stringify(body),
  };
}

function isSection(name: string): name is SectionName {
  return SECTIONS.some((section) => section === name);
}
