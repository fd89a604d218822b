/**
 * Events of evolution-go (docs/evolution-go.md). Its event names and the names of what it lets one subscribe to differ:
 * a category such as `CALL` stands for several events. Like the catalogue of the core API this is for filters, queues and
 * metrics only: events that are not listed pass all the same.
 */
export interface GoEventType {
  /** On the wire, and for filters: `ChatPresence`. */
  readonly event: string;
  /** The category that it belongs to; what belongs to none is for those who subscribe to everything. */
  readonly category: string | undefined;
}

const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  MESSAGE: ['Message'],
  SEND_MESSAGE: ['SendMessage'],
  READ_RECEIPT: ['Receipt'],
  PRESENCE: ['Presence'],
  HISTORY_SYNC: ['HistorySync'],
  CHAT_PRESENCE: ['ChatPresence', 'Archive'],
  CALL: ['CallOffer', 'CallAccept', 'CallTerminate', 'CallOfferNotice', 'CallRelayLatency'],
  CONNECTION: ['Connected', 'PairSuccess', 'TemporaryBan', 'LoggedOut', 'ConnectFailure', 'Disconnected'],
  LABEL: ['LabelEdit', 'LabelAssociationChat', 'LabelAssociationMessage'],
  CONTACT: ['Contact', 'PushName'],
  GROUP: ['GroupInfo', 'JoinedGroup'],
  NEWSLETTER: ['NewsletterJoin', 'NewsletterLeave'],
  QRCODE: ['QRCode', 'QRTimeout', 'QRSuccess'],
  BUTTON_CLICK: ['ButtonClick'],
  PICTURE: ['Picture'],
  USER_ABOUT: ['UserAbout'],
};
const WITHOUT_CATEGORY = ['OfflineSyncCompleted'];

/** The category of everything. */
export const EVERYTHING = 'ALL';

/** From 0.7.0 on these categories also get the messages of their chats: how such a chat's address ends. */
export const CHATS_OF: ReadonlyMap<string, string> = new Map([
  ['GROUP', '@g.us'],
  ['NEWSLETTER', '@newsletter'],
]);
/** The event whose chat is looked at for them. */
export const GO_MESSAGE = 'Message';

export const GO_CATALOGUE: readonly GoEventType[] = [
  ...Object.entries(CATEGORIES).flatMap(([category, events]) => events.map((event) => ({ event, category }))),
  ...WITHOUT_CATEGORY.map((event) => ({ event, category: undefined })),
];

export const GO_CATEGORIES: readonly string[] = Object.keys(CATEGORIES);

const byEvent = new Map(GO_CATALOGUE.map((type) => [type.event, type]));
const byUpperCase = new Map(GO_CATALOGUE.map((type) => [type.event.toUpperCase(), type]));

/** By its name on the wire, to the letter. */
export function findGoEvent(event: string): GoEventType | undefined {
  return byEvent.get(event);
}

/** By its name in whatever case, as it stands in variables and in names of queues. */
export function findGoName(name: string): GoEventType | undefined {
  return byUpperCase.get(name.toUpperCase());
}

/** The events that a filter's key lets pass, be it an event or a category; none where it is about the core API's. */
export function goEventsOf(key: string): readonly GoEventType[] {
  return GO_CATALOGUE.filter(({ event, category }) => key === event || key === category);
}

/** The names that queues and routing keys have for the events that a filter's key lets pass. */
export function goQueuesOf(key: string): readonly string[] {
  const events = [...goEventsOf(key).map(({ event }) => event), ...(CHATS_OF.has(key) ? [GO_MESSAGE] : [])];
  return events.map((event) => event.toLowerCase());
}

/** Whether a filter's key is about evolution-go's events; it may be about one of the core API's, too. */
export function isGoKey(key: string): boolean {
  return goEventsOf(key).length > 0;
}
