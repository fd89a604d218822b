/** Bounds of what is set for one instance: one tenant's settings are read by every process, and by each of its requests. */

/** Of all settings of one instance, as JSON. */
export const MAX_SETTINGS_BYTES = 65_536;
/** Of the text in Redis: encrypted text is a third larger, and names its schema and its key. What is larger is not fetched. */
export const MAX_STORED_BYTES = 98_304;
/** Of a request's body that sets them: one that is too large should be answered with what is too long in it. */
export const SETTINGS_BODY_LIMIT = 524_288;
/** Of a file with the settings of many instances: read at start, and by `settings import`. */
export const MAX_SETTINGS_FILE_BYTES = 67_108_864;
/** Fields and items in all, unknown ones included. */
export const MAX_NODES = 20_000;
/** Objects within objects; settings have five levels. */
export const MAX_DEPTH = 16;
/** Names of events in one list. */
export const MAX_EVENTS = 200;
/** Of an instance's name, in characters, as in the core API's database. */
export const MAX_INSTANCE_NAME_LENGTH = 255;
/** Of an event's name, so that a binding `#.<event>` and most `<instance>.<event>` fit AMQP. */
export const MAX_EVENT_NAME_BYTES = 100;
