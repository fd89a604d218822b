import type { Config } from '../config/config';
import { explainError } from '../errors';
import type { Finding } from '../observability/finding';
import { CoreAnswerError } from './core-answer';
import { CoreInstances } from './core-instances';

/** No core has it: only whether the question is answered matters. */
const NOBODY = 'evolution-relay-doctor';

const OWN_GATEWAY =
  'what answers at CORE_API_URL is the gateway of a relay, which refuses each instance that has no settings yet: it must be the address of the core API, such as http://evolution-api:8080';

/** Whether the core API says which instances it has; nothing where it is not asked. */
export async function inspectCoreApi({
  gateway,
  outgoing,
}: Pick<Config, 'gateway' | 'outgoing'>): Promise<Finding[]> {
  const { coreApiUrl: url, apiKey } = gateway;
  if (url === undefined) return [];
  let problem = '';
  const onError = (error: unknown): void => {
    const what = error instanceof CoreAnswerError ? '' : 'what is at CORE_API_URL cannot be asked: ';
    problem = what + explainError(error);
  };
  const instances = new CoreInstances({ url, apiKey, outgoing, onError });
  const existence = await instances.has(NOBODY);
  const isGateway = existence !== 'unclear' && (await instances.isGateway().catch(() => false));
  await instances.close();
  const about = { part: 'gateway', check: 'core API' };
  if (isGateway) return [{ ...about, state: 'trouble', detail: OWN_GATEWAY }];
  return [
    existence === 'unclear'
      ? {
          ...about,
          state: 'trouble',
          detail: `${problem}; until it is mended no name of an instance is checked`,
        }
      : { ...about, state: 'ok', detail: 'says which instances it has' },
  ];
}
