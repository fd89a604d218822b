import type { Envelope } from '../../events/envelope';

/** Headers that say which event of which instance this is, named as the core API 2.4 names them, and to which trace it belongs. */
const NAMES = ['x-instance-name', 'x-event-type', 'x-timestamp', 'x-instance-id', 'traceparent'] as const;
type Name = (typeof NAMES)[number];

/** What every header may hold as it is. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;

/** The headers of each event for one webhook, whose own headers come before them. */
export class EventHeaders {
  private readonly wanted: ReadonlySet<Name>;

  /**
   * @param own names of the webhook's own headers, in lower case
   * @param instanceId of the webhook's instance, where its settings have it
   */
  constructor(
    own: ReadonlySet<string>,
    private readonly instanceId: string | undefined,
  ) {
    this.wanted = new Set(NAMES.filter((name) => !own.has(name)));
  }

  /** Adds them to a flat list of names and values. @param now epoch milliseconds */
  addTo(headers: string[], { event, instance, instanceId = this.instanceId }: Envelope, now: number): void {
    const { wanted } = this;
    if (wanted.has('x-instance-name')) headers.push('x-instance-name', headerText(instance));
    if (wanted.has('x-event-type')) headers.push('x-event-type', headerText(event));
    if (wanted.has('x-timestamp')) headers.push('x-timestamp', String(now));
    if (instanceId !== undefined && wanted.has('x-instance-id'))
      headers.push('x-instance-id', headerText(instanceId));
  }

  /** Of an attempt that is traced: the receiver may go on with its trace. */
  addTrace(headers: string[], traceparent: string): void {
    if (this.wanted.has('traceparent')) headers.push('traceparent', traceparent);
  }
}

/** Percent-encoded where it has characters that receivers do not read in the same way, or none at all. */
function headerText(text: string): string {
  // By way of UTF-8, as half a surrogate pair cannot be encoded.
  return PLAIN.test(text) ? text : encodeURIComponent(Buffer.from(text).toString());
}
