import type { DeadLetter, DeadLetterDetails } from './dead-letters';

/** A dead letter as the gateway and the command line show it: all times as ISO. */
export function shownLetter(letter: DeadLetter): Readonly<Record<string, unknown>> {
  const { id, destination, event, instance, reason, detail, at, bytes } = letter;
  return {
    id,
    at: new Date(at).toISOString(),
    destination,
    instance,
    event,
    reason,
    ...(detail === undefined ? {} : { detail }),
    bytes,
  };
}

/** With its attempts and its body. */
export function shownLetterStory(letter: DeadLetterDetails): Readonly<Record<string, unknown>> {
  const history = letter.history.map((each) => ({ ...each, at: new Date(each.at).toISOString() }));
  return { ...shownLetter(letter), history, body: letter.body.toString('utf8') };
}
