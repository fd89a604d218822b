import { sendChecked } from '../supervisor/config-check';
import { type PartName, prepare } from './prepare';

/**
 * Checks the configuration, says what is worth knowing about it, and tells the supervisor what it goes by.
 *
 * @throws ConfigError
 */
export function checkForSupervisor(names: readonly PartName[]): void {
  sendChecked(prepare(names).config);
}
