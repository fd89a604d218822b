import { httpUrl, integer, optional } from '../../../../src/config/formats';
import { type ConfigPart, configPart } from '../../../../src/config/part';
import { secret, variable } from '../../../../src/config/variable';
import type { EventFilter } from '../../../../src/events/filter';

export interface LetterboxConfig {
  readonly global: { readonly url: string; readonly events: EventFilter } | undefined;
  readonly timeoutMs: number;
}

const SWITCHES = { prefix: 'LETTERBOX_EVENTS_', choose: 'events that the global letterbox receives' };

export const letterboxConfig: ConfigPart<LetterboxConfig> = configPart({
  name: 'letterbox',
  title: 'Letterboxes',
  variables: {
    LETTERBOX_URL: secret(optional(httpUrl), undefined, 'Address of the global letterbox.'),
    LETTERBOX_TIMEOUT_MS: variable(integer(1, 600_000), 30_000, 'Time limit of a letter, in milliseconds.'),
  },
  switches: SWITCHES,
  platformNames: { LETTERBOX_ADDON_URL: 'LETTERBOX_URL' },
  read: ({ LETTERBOX_URL: url, LETTERBOX_TIMEOUT_MS: timeoutMs }, reading) => {
    const events = reading.switches(SWITCHES);
    if (url?.endsWith('/')) reading.problem('LETTERBOX_URL: must not end with a slash');
    return { global: url === undefined ? undefined : { url, events }, timeoutMs };
  },
});
