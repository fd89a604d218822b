import type { Config } from '../../config/config';
import { AddressGuard } from '../../network/address-guard';
import { outgoingClient } from '../../network/outgoing';
import type { Finding } from '../../observability/finding';
import { inspectEach } from '../../observability/inspect-each';
import { counted } from '../../plural';
import type { Settings } from '../../settings/section';
import { globalId, instanceId } from '../destination-ids';
import { diagnose } from './diagnosis';
import { originOf } from './pusher-address';
import { type PusherAppConfig, pusherConfig } from './pusher-config';
import { pusherSection } from './pusher-section';

interface Target {
  readonly part: string;
  readonly app: PusherAppConfig;
  /** Undefined: the operator's own, which may be anywhere. */
  readonly guard: AddressGuard | undefined;
}

/** Whether every app takes events of the largest size, each app once. */
export async function inspectPushers(
  config: Config,
  settings: ReadonlyMap<string, Settings>,
): Promise<Finding[]> {
  if (!pusherConfig.of(config).enabled) return [];
  return inspectEach(
    targetsOf(config, settings),
    (target) => inspect(config, target),
    (count) => ({
      part: 'pusher',
      check: 'app',
      state: 'note',
      detail: `${counted(count, 'more app was', 'more apps were')} not tried`,
    }),
  );
}

function targetsOf(config: Config, settings: ReadonlyMap<string, Settings>): Target[] {
  const { global } = pusherConfig.of(config);
  const guard = new AddressGuard(config.outgoing.allowedNetworks);
  const own = [...settings].flatMap(([instance, each]): Target[] => {
    const app = pusherSection.of(each);
    return app?.enabled === true ? [{ part: instanceId('pusher', instance), app, guard }] : [];
  });
  const all: Target[] =
    global === undefined ? own : [{ part: globalId('pusher'), app: global.app, guard: undefined }, ...own];
  const nameOf = ({ app, guard: tenant }: Target): string =>
    JSON.stringify([tenant === undefined, originOf(app), app.appId, app.key, app.secret]);
  return [...new Map(all.map((target) => [nameOf(target), target])).values()];
}

async function inspect(config: Config, { part, app, guard }: Target): Promise<Finding> {
  const { maxEventBytes } = pusherConfig.of(config);
  const client = outgoingClient(config.outgoing, originOf(app), 1, guard);
  try {
    const { trouble, detail, remedy } = await diagnose(app, client, maxEventBytes);
    return trouble === undefined
      ? { part, check: 'app', state: 'ok', detail: `takes ${maxEventBytes} bytes` }
      : { part, check: 'app', state: 'trouble', detail: `${trouble} (${detail}): ${remedy}` };
  } finally {
    await client.destroy();
  }
}
