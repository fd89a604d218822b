import { flag, integer, number } from './formats';
import { type ValuesOf, type Variables, variable } from './variable';

export const DELIVERY_LOG_VARIABLES = {
  DELIVERY_LOG_SECONDS: variable(
    number(0, 315_360_000),
    604_800,
    'Seconds that the delivery log keeps what happened to a delivery. 0: nothing is logged.',
  ),
  DELIVERY_LOG_MAX: variable(
    integer(0, 1_000_000_000),
    1_000_000,
    'Records of the delivery log, one for each attempt. Beyond that the oldest go. 0: nothing is logged.',
  ),
  DELIVERY_LOG_MAX_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes of Redis for the delivery log, a quarter of its maxmemory at the most. Beyond that the oldest records go.',
  ),
  DELIVERY_LOG_BODIES: variable(
    flag,
    false,
    'Keep the bodies of delivered events in the delivery log, up to 1 MiB each, so that they can be delivered again.',
  ),
} as const satisfies Variables;

export interface DeliveryLogConfig {
  readonly isOn: boolean;
  readonly maxAgeMs: number;
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly withBodies: boolean;
}

export function deliveryLogOf(values: ValuesOf<typeof DELIVERY_LOG_VARIABLES>): DeliveryLogConfig {
  const { DELIVERY_LOG_SECONDS: seconds, DELIVERY_LOG_MAX: maxRows } = values;
  return {
    isOn: seconds > 0 && maxRows > 0,
    maxAgeMs: seconds * 1000,
    maxRows,
    maxBytes: values.DELIVERY_LOG_MAX_BYTES,
    withBodies: values.DELIVERY_LOG_BODIES,
  };
}
