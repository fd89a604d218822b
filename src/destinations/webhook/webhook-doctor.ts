import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import type { Finding } from '../../observability/finding';
import { inspectEach } from '../../observability/inspect-each';
import type { Settings } from '../../settings/section';
import { globalId, instanceId } from '../destination-ids';
import { inspectWebhook } from './address-check';
import { webhookConfig } from './webhook-config';
import { webhookSection } from './webhook-section';

interface Target {
  readonly part: string;
  readonly url: string;
  /** Undefined: the operator's own, which may be anywhere. */
  readonly guard: AddressGuard | undefined;
}

/** Whether every webhook's address can be connected to, each origin once. */
export async function inspectWebhooks(
  config: Config,
  settings: ReadonlyMap<string, Settings>,
): Promise<Finding[]> {
  const guard = new AddressGuard(config.outgoing.allowedNetworks);
  const targets: Target[] = [...settings].flatMap(([instance, each]) =>
    webhookSection
      .all(each)
      .filter(({ value }) => value.enabled)
      .map(({ slot, value: { url } }) => ({ part: instanceId('webhook', instance, slot.name), url, guard })),
  );
  const { global } = webhookConfig.of(config);
  if (global !== undefined) {
    targets.unshift({ part: globalId('webhook'), url: global.url, guard: undefined });
  }
  const byOrigin = [
    ...new Map(
      targets.map((target) => [`${target.guard === undefined} ${new URL(target.url).origin}`, target]),
    ).values(),
  ];
  return inspectEach(
    byOrigin,
    ({ part, url, guard: own }) => inspectWebhook(part, url, own),
    (count) => ({
      part: 'webhook',
      check: 'connection',
      state: 'note',
      detail: `${count} more origins were not tried`,
    }),
  );
}
