import type { Sections } from '../settings/sections';
import type { Core, CoreInstance } from './core';
import { CoreApiError } from './core-api-error';
import { ADDRESS_REMEDY, CoreClient, type CoreClientParts } from './core-client';
import { EvolutionApi } from './evolution-api';
import { EvolutionGo } from './evolution-go';

export interface FoundCore {
  readonly core: Core;
  readonly instances: readonly CoreInstance[];
}

/** Which of the two cores answers there, and its instances. The caller closes it. @throws CoreApiError */
export async function findCore(parts: CoreClientParts, sections: Sections): Promise<FoundCore> {
  const client = new CoreClient(parts);
  try {
    return await firstOf([new EvolutionApi(client, sections), new EvolutionGo(client, sections)]);
  } catch (error) {
    await client.close();
    if (!isMissing(error)) throw error;
    throw new CoreApiError(
      'CORE_NOT_FOUND',
      `there is no core API at ${parts.url}: neither /instance/fetchInstances nor /instance/all exists there (HTTP 404); ${ADDRESS_REMEDY}`,
    );
  }
}

async function firstOf([first, ...others]: readonly Core[]): Promise<FoundCore> {
  if (first === undefined) throw new RangeError('no core is left');
  try {
    return { core: first, instances: await first.instances() };
  } catch (error) {
    if (others.length === 0 || !isMissing(error)) throw error;
    return firstOf(others);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof CoreApiError && error.code === 'CORE_MISSING';
}
