import type { FastifyRequest } from 'fastify';
import type { Html } from './html';
import type { Language } from './language';
import type { Session } from './session-cookies';
import type { Viewer } from './viewer';

/** One request of a viewer. */
export interface Visit {
  readonly session: Session;
  readonly viewer: Viewer;
  readonly language: Language;
  readonly request: FastifyRequest;
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** Of the query; where a name is given twice, the last one counts. */
  readonly query: Readonly<Record<string, string>>;
}

/** What a screen shows. */
export interface View {
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Where the page asks for its newer self, where that is not where it came from. */
  readonly live?: string;
  /** The page does not ask for its newer self: what somebody typed into a refused form stays. */
  readonly isStill?: boolean;
}

/** Who may see something: everybody who logged in, or nobody with an instance's token. */
export type Audience = 'everybody' | 'operators';

/** Of the menu. */
export type ScreenName =
  | 'now'
  | 'destinations'
  | 'queues'
  | 'deliveries'
  | 'deadLetters'
  | 'instances'
  | 'tail';

/** A page: one file each, with what it reads, what it shows and where it is. It is made anew every few seconds. */
export interface Screen {
  /** As fastify writes it. */
  readonly path: string;
  /** The entry of the menu that it belongs to. */
  readonly name: ScreenName;
  readonly audience: Audience;
  show(visit: Visit): Promise<View>;
}

/** What a form did: something to show, or where to go on. */
export type Done =
  | { readonly kind: 'show'; readonly view: View }
  | { readonly kind: 'go'; readonly to: string };

/** What a form does. Viewers who may change nothing never get here. */
export interface Action {
  readonly path: string;
  readonly name: ScreenName;
  readonly audience: Audience;
  perform(visit: Visit, form: URLSearchParams): Promise<Done>;
}

/** Something that scripts of a page ask for. */
export interface DataRoute {
  readonly path: string;
  readonly audience: Audience;
  read(visit: Visit): Promise<unknown>;
}

/** What a part of the dashboard adds to it. */
export interface ScreenSet {
  readonly screens?: readonly Screen[];
  readonly actions?: readonly Action[];
  readonly data?: readonly DataRoute[];
}
