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
/** Bytes of the `data` of one event that are decoded: decoded it takes many times as much memory. A larger event passes. */
export const MAX_DATA_BYTES = 67_108_864;
/** Values that are looked at in one event for one destination: about two milliseconds. Beyond it the event passes. */
export const MAX_STEPS = 20_000;
