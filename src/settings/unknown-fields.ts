import { pusherSchema, switchSchema, webhookFields, withPresentNames } from './schema';

type Fields = Readonly<Record<string, unknown>>;

/** The core API's rows hold these, too. */
const OF_ROWS = ['id', 'instanceId'];
const OF_WEBHOOKS = namesOf(webhookFields.shape);
const OF_SWITCHES = namesOf(switchSchema.shape);
const SECTIONS = [
  ['webhook', OF_WEBHOOKS],
  ['pusher', namesOf(pusherSchema.shape)],
  ['websocket', OF_SWITCHES],
  ['rabbitmq', OF_SWITCHES],
  ['sqs', OF_SWITCHES],
] as const;

function namesOf(shape: object): ReadonlySet<string> {
  return new Set([...Object.keys(shape), ...OF_ROWS]);
}

/**
 * Warnings about fields of sections that do not exist. A misspelt one would otherwise have no effect that anybody sees:
 * `event` for `events` lets every event pass.
 */
export function unknownFields(settings: object): string[] {
  const given = settings as Fields;
  const named = Object.entries((given['webhooks'] ?? {}) as Fields);
  return [
    ...SECTIONS.map(([name, known]) => [name, known, given[name]] as const),
    ...named.map(([name, webhook]) => [`webhooks.${name}`, OF_WEBHOOKS, webhook] as const),
  ].flatMap(([section, known, value]) =>
    Object.keys((withPresentNames(value) ?? {}) as Fields)
      .filter((field) => !known.has(field))
      .map((field) => `${section}.${field}: no such field; it is left out`),
  );
}
