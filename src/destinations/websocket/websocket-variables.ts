import { flag, integer, list, number } from '../../config/formats';
import { variable } from '../../config/variable';
import { contentVariables } from '../content-variables';
import { concurrencyVariable, orderedVariable } from '../delivery-variables';
import { normaliseVariable } from '../normalise-variables';

/** Variables of WebSockets, of workers and gateways. */
export const WEBSOCKET_VARIABLES = {
  WEBSOCKET_ENABLED: variable(
    flag,
    false,
    'Deliver to the WebSocket clients of the gateway. Set it for workers and gateways.',
  ),
  WEBSOCKET_GLOBAL_EVENTS: variable(
    flag,
    false,
    "Offer the events of all instances to WebSocket clients with the operator's key.",
  ),
  WEBSOCKET_GLOBAL_CONCURRENCY: concurrencyVariable('the WebSocket clients of all instances'),
  ...contentVariables('WEBSOCKET_GLOBAL', 'the WebSocket clients of all instances'),
  WEBSOCKET_GLOBAL_NORMALISE: normaliseVariable('the WebSocket clients of all instances'),
  WEBSOCKET_GLOBAL_ORDERED: orderedVariable('the WebSocket clients of all instances'),
  WEBSOCKET_ALLOWED_HOSTS: variable(
    list,
    [],
    "Addresses whose WebSocket clients need no key, or *. Pages of other origins need one unless CORS_ORIGIN lists them. Behind a proxy every client has the proxy's address.",
  ),
  WEBSOCKET_RESUME_SECONDS: variable(
    integer(1, 604_800),
    300,
    'Seconds that events are kept for WebSocket clients that come back.',
  ),
  WEBSOCKET_RESUME_EVENTS: variable(
    integer(1, 1_000_000),
    1000,
    'Events kept for WebSocket clients that come back, for each instance and for the global stream.',
  ),
  WEBSOCKET_RESUME_BYTES: variable(
    integer(1, Number.MAX_SAFE_INTEGER),
    16_777_216,
    'Bytes of events kept for WebSocket clients that come back, for each instance and for the global stream.',
  ),
  WEBSOCKET_BUFFER_BYTES: variable(
    integer(65_536, Number.MAX_SAFE_INTEGER),
    4_194_304,
    'Bytes that a WebSocket client may leave unread before it is disconnected. It may come back and resume.',
  ),
  WEBSOCKET_UNREAD_BYTES: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    268_435_456,
    'Bytes held at one gateway for WebSocket clients that have not read them, in all. Beyond that those with most unread are disconnected.',
  ),
  WEBSOCKET_UNREAD_BYTES_PER_INSTANCE: variable(
    integer(1_048_576, Number.MAX_SAFE_INTEGER),
    67_108_864,
    'Bytes held at one gateway for the WebSocket clients of one instance that have not read them.',
  ),
  WEBSOCKET_PING_SECONDS: variable(
    number(1, 3600),
    25,
    'Seconds between pings. WebSocket clients that do not answer are disconnected.',
  ),
  WEBSOCKET_MAX_CLIENTS: variable(integer(1, 1_000_000), 10_000, 'WebSocket clients of one gateway.'),
  WEBSOCKET_MAX_CLIENTS_PER_INSTANCE: variable(
    integer(1, 1_000_000),
    1000,
    'WebSocket clients of one instance at one gateway.',
  ),
};
