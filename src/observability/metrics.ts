import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Durations } from './durations';
import { Tally } from './tally';

/** The relay's metrics by name (docs/operations.md#metrics). No label holds anything that a tenant can make grow. */
export class Metrics {
  readonly registry = new Registry();
  /** Under its older name, too: there *accepted* is another word for what a source hands over, and not the audit's. */
  readonly eventsReceived = this.counter(
    ['relay_events_received_total', 'relay_events_accepted_total'],
    'Events handed over by a source',
    ['source', 'event'],
  );
  readonly duplicates = this.counter(
    'relay_events_duplicate_total',
    'Events taken from a source of which another copy was done before (DEDUPLICATION_SECONDS)',
    ['source', 'event'],
  );
  readonly deliveries = this.counter('relay_deliveries_total', 'Deliveries by how they ended', [
    'destination',
    'event',
    'outcome',
  ]);
  readonly attempts = this.counter('relay_attempts_total', 'Attempts by how they ended', [
    'destination',
    'outcome',
  ]);
  readonly attemptDuration = this.durations('relay_attempt_duration_seconds', 'Duration of attempts');
  readonly eventLag = this.durations(
    'relay_event_lag_seconds',
    'To delivered, from published where the broker says when (SQS), otherwise from received; without what was parked',
  );
  readonly parked = this.counter('relay_parked_total', 'Deliveries parked', ['destination', 'reason']);
  readonly discarded = this.counter(
    'relay_discarded_total',
    'Deliveries that nobody would have received, or that conditions on content leave out',
    ['destination', 'reason'],
  );
  readonly pusherWebhooks = this.counter('relay_pusher_webhooks_total', "Events of Pusher's own webhooks", [
    'event',
  ]);
  readonly deadLetters = this.counter('relay_dead_letters_total', 'Dead letters', ['reason']);
  readonly logLinesDropped = this.counter(
    'relay_log_lines_dropped_total',
    'Log lines that standard output did not take',
    [],
  );
  readonly inFlight = this.gauge('relay_in_flight', 'Source messages held and attempts under way', ['what']);
  readonly inFlightBytes = this.gauge('relay_in_flight_bytes', 'Bytes of source messages held', []);
  readonly destinations = this.sharedGauge(
    'relay_destinations',
    'Destinations that are not well: failing, suspended, rejecting',
    ['state'],
  );
  readonly circuitsOpen = this.sharedGauge('relay_circuits_open', 'Destinations whose circuit is open', []);
  readonly queueDepth = this.sharedGauge(
    'relay_source_queue_depth',
    'Messages ready in a source queue; those of instances together',
    ['queue'],
  );
  readonly queueConsumers = this.sharedGauge(
    'relay_source_queue_consumers',
    'Consumers of a source queue, of all workers',
    ['queue'],
  );
  readonly queueInFlight = this.sharedGauge(
    'relay_source_queue_in_flight',
    'Messages of a source queue that consumers hold',
    ['queue'],
  );
  readonly queueOldest = this.sharedGauge(
    'relay_source_queue_oldest_seconds',
    'Age of the message received last from a source queue when it was received; 0 where the queue is empty',
    ['queue'],
  );
  readonly retryDepth = this.sharedGauge('relay_retry_queue_depth', 'Parked deliveries by state', [
    'queue',
    'state',
  ]);
  readonly retryOldest = this.sharedGauge(
    'relay_retry_queue_oldest_seconds',
    'Age of the parked delivery that is due first',
    [],
  );
  readonly lanesWaiting = this.sharedGauge(
    'relay_lanes_waiting',
    'Lanes of ordered destinations that wait for their first delivery',
    [],
  );
  readonly deadLetterDepth = this.sharedGauge('relay_dead_letter_depth', 'Dead letters stored', []);
  readonly unreadableInstances = this.sharedGauge(
    'relay_unreadable_instances',
    'Instances whose settings cannot be read, of those that events were received for',
    [],
  );
  readonly silentInstances = this.sharedGauge(
    'relay_silent_instances',
    'Instances that were lively and say nothing any more, as all workers together heard it',
    [],
  );
  readonly alerts = this.counter('relay_alerts_total', 'Alerts that their receiver took', ['cause']);
  readonly webSocketClients = this.gauge('relay_websocket_clients', 'WebSocket clients connected', [
    'protocol',
  ]);
  readonly webSocketCutOff = this.counter(
    'relay_websocket_clients_cut_off_total',
    'WebSocket clients disconnected by the gateway',
    ['reason'],
  );

  readonly deliveryLogSkipped = this.counter(
    'relay_delivery_log_skipped_total',
    'Records that the delivery log left out, as Redis did not take them in time or has little memory left',
    ['reason'],
  );

  readonly storeLost = this.counter(
    'relay_store_lost_total',
    'Times that Redis was found to have lost what the relay stored in it',
    [],
  );

  readonly retriesDue = this.sharedGauge(
    'relay_retries_due',
    'Parked deliveries that are due, of destinations that may be attempted',
    [],
  );
  readonly auditDifference = this.sharedGauge(
    'relay_audit_difference',
    'Deliveries by which accepted differs from delivered + parked + dead + discarded, over all destinations',
    [],
  );
  readonly redisAtRisk = this.sharedGauge(
    'relay_redis_at_risk',
    'What the doctor finds wrong with Redis: 1 where it does, 0 where it does not',
    ['check'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  private counter<T extends string>(
    names: string | readonly string[],
    help: string,
    labelNames: readonly T[],
  ): Tally<T> {
    const registers = [this.registry];
    const collect = (): void => tally.carryOver();
    const counters = [names]
      .flat()
      .map((name) => new Counter({ name, help, labelNames, registers, collect }));
    const tally: Tally<T> = new Tally(counters, labelNames);
    return tally;
  }

  private gauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** Of what every worker reads from the same place: of several processes the largest counts, not the sum. */
  private sharedGauge<T extends string>(name: string, help: string, labelNames: readonly T[]): Gauge<T> {
    return new Gauge({ name, help, labelNames, aggregator: 'max', registers: [this.registry] });
  }

  private durations(name: string, help: string): Durations {
    return new Durations(name, help, this.registry);
  }
}
