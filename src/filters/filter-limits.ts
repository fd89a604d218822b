/** Bounds of what one filter may hold, and of what looking at one event with it may cost. */

/** Comparisons of one `filter`, those within $and, $or and $not included. */
export const MAX_CONDITIONS = 100;
/** $and, $or and $not within each other. */
export const MAX_NESTING = 5;
/** Of $in and $nin, and of `chats`, `participants` and `messageTypes`. */
export const MAX_LIST = 1000;
/** Characters of a text that is compared with. */
export const MAX_TEXT = 1000;
/** Characters of a path, and names in it. */
export const MAX_PATH = 500;
export const MAX_PATH_PARTS = 32;
/** Bytes of one event that is decoded: decoded it takes more memory. A larger event passes. */
export const MAX_EVENT_BYTES = 67_108_864;
/** And values in it: each takes tens of bytes and some time, however short it is. 16 MB of `{}` took 800 MB and three seconds. */
export const MAX_EVENT_VALUES = 100_000;
/** Values that are looked at in one event for one destination: about two milliseconds. Beyond it the event passes. */
export const MAX_STEPS = 20_000;
