import { counted } from '../plural';
import type { LoggedDelivery } from './delivery-log';
import type { LogFilter } from './log-filter';
import type { LogRecord } from './log-record';
import type { Coverage } from './log-store';

/** A delivery as the gateway and the command line show it. */
export function shownDelivery(delivery: LoggedDelivery): Readonly<Record<string, unknown>> {
  const { id, at, outcome, reason, destination, instance, event, message, chat, bytes, records } = delivery;
  return {
    id,
    at: new Date(at).toISOString(),
    outcome,
    ...(reason === '' ? {} : { reason }),
    ...(destination === '' ? {} : { destination }),
    instance,
    event,
    ...(message === '' ? {} : { message }),
    ...(chat === '' ? {} : { chat }),
    attempts: attemptsOf(delivery).length,
    ...lastAnswerOf(records),
    bytes,
  };
}

/** With everything that happened to it. */
export function shownStory(delivery: LoggedDelivery): Readonly<Record<string, unknown>> {
  return { ...shownDelivery(delivery), history: delivery.records.map(shownRecord) };
}

/** What the log covers, for an answer that something was not found. */
export function shownCoverage({ since, skipped }: Coverage): Readonly<Record<string, unknown>> {
  return { since: since === undefined ? null : new Date(since).toISOString(), skipped };
}

/** Why a look-up found nothing, in a sentence. */
export function notSeen({ since, skipped }: Coverage, filter: LogFilter): string {
  if (since === undefined) return 'nothing is known: the delivery log holds no record yet';
  const begins = `since ${new Date(since).toISOString()}, when the delivery log begins`;
  const isOfEvents = !isOfDeliveries(filter);
  const began = isOfEvents ? `not seen by the relay ${begins}` : `no delivery matches all filters ${begins}`;
  if (skipped === 0) return isOfEvents ? `${began}: no such event reached it` : began;
  return `${began}; ${counted(skipped, 'record was', 'records were')} skipped meanwhile, so it may have come all the same`;
}

/** What of a filter is given, in whatever form. */
type Asked = Readonly<Partial<Record<keyof LogFilter, unknown>>>;

/** Whether something else is asked than which event it is: that one may have come all the same. */
export function isOfDeliveries({ destination, outcome, reason, since, until }: Asked): boolean {
  return [destination, outcome, reason, since, until].some((each) => each !== undefined);
}

/** Without the attempts that were cut short from our side: they are not spent. */
export function attemptsOf({ records }: LoggedDelivery): readonly LogRecord[] {
  return records.filter(({ attempt, what }) => attempt > 0 && what !== 'interrupted');
}

function lastAnswerOf(records: readonly LogRecord[]): { readonly status?: number; readonly error?: string } {
  const last = records.findLast(({ attempt }) => attempt > 0);
  if (last === undefined) return {};
  return {
    ...(last.status === 0 ? {} : { status: last.status }),
    ...(last.code === '' ? {} : { error: last.code }),
  };
}

function shownRecord(record: LogRecord): Readonly<Record<string, unknown>> {
  const { what, at, attempt, durationMs, status, code, answer } = record;
  return {
    at: new Date(at).toISOString(),
    what,
    ...(attempt === 0 ? {} : { attempt, durationMs }),
    ...(status === 0 ? {} : { status }),
    ...(code === '' ? {} : { code }),
    ...(answer === '' ? {} : { answer }),
  };
}

/** The same without what the operator's own endpoint answered, which is none of a tenant's business. */
export function withoutAnswers(delivery: LoggedDelivery): LoggedDelivery {
  return { ...delivery, records: delivery.records.map((record) => ({ ...record, answer: '' })) };
}
