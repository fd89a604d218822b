import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import type { Finding } from '../../observability/finding';
import { inspectEach } from '../../observability/inspect-each';
import { counted } from '../../plural';
import type { Section, SectionValue, Settings } from '../../settings/section';
import { globalId, instanceId } from '../destination-ids';
import { inspectAddress } from './address-check';

interface Target {
  readonly part: string;
  readonly url: string;
  /** Undefined: the operator's own, which may be anywhere. */
  readonly guard: AddressGuard | undefined;
}

export interface AddressInspection<Value extends SectionValue & { readonly url: string }> {
  readonly kind: string;
  readonly section: Section<Value>;
  /** Address of the global one. */
  readonly global: string | undefined;
  readonly config: Config;
  /** Those in force, by instance. */
  readonly settings: ReadonlyMap<string, Settings>;
}

/** Whether each address that is in use can be connected to, each origin once. */
export async function inspectAddresses<Value extends SectionValue & { readonly url: string }>(
  inspection: AddressInspection<Value>,
): Promise<Finding[]> {
  const byOrigin = new Map(
    targetsOf(inspection).map((target) => [
      `${target.guard === undefined} ${new URL(target.url).origin}`,
      target,
    ]),
  );
  return inspectEach(
    [...byOrigin.values()],
    ({ part, url, guard }) => inspectAddress(part, url, guard),
    (count) => ({
      part: inspection.kind,
      check: 'connection',
      state: 'note',
      detail: `${counted(count, 'more origin was', 'more origins were')} not tried`,
    }),
  );
}

function targetsOf<Value extends SectionValue & { readonly url: string }>({
  kind,
  section,
  global,
  config,
  settings,
}: AddressInspection<Value>): Target[] {
  const guard = new AddressGuard(config.outgoing.allowedNetworks);
  const own = [...settings].flatMap(([instance, each]) =>
    section
      .all(each)
      .filter(({ value }) => value.enabled)
      .map(({ slot, value: { url } }) => ({ part: instanceId(kind, instance, slot.name), url, guard })),
  );
  return global === undefined ? own : [{ part: globalId(kind), url: global, guard: undefined }, ...own];
}
