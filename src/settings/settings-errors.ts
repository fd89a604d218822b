import { errorText, RelayError } from '../errors';
import { boundedLines } from './bounds';

/** What was given cannot be set; nothing was changed. */
export class SettingsRefusedError extends RelayError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const bounded = boundedLines(problems);
    super('SETTINGS_REFUSED', bounded.join('; '));
    this.problems = bounded;
  }
}

/** There are settings of that name already. */
export class SettingsTakenError extends RelayError {
  constructor(instance: string) {
    super('SETTINGS_TAKEN', `This name "${instance}" is already in use.`);
  }
}

/** There is nothing to remove. */
export class SettingsMissingError extends RelayError {
  constructor(what: string) {
    super('SETTINGS_MISSING', `nothing is set for ${what}`);
  }
}

/** Others change the settings of one instance over and over. */
export class SettingsConflictError extends RelayError {
  constructor(instance: string) {
    super(
      'SETTINGS_CONFLICT',
      `the settings of ${JSON.stringify(instance)} are being changed by others: try again`,
    );
  }
}

/** Why a stored text does not open: a key that is not given, a changed text, a text in clear, one that is too large. */
export type SealProblem =
  | 'SETTINGS_KEY_MISSING'
  | 'SETTINGS_TAMPERED'
  | 'SETTINGS_IN_CLEAR'
  | 'SETTINGS_TOO_LARGE';

export class SettingsSealError extends RelayError {
  constructor(code: SealProblem, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** What is stored was not written by the relay, or by a later version of it. */
export class SettingsInvalidError extends RelayError {
  constructor(message: string) {
    super('SETTINGS_INVALID', message);
  }
}

/**
 * The stored settings of one instance cannot be read, and asking again does not help: only a key, a change or a
 * removal does. `cause` says why, by its code.
 */
export class SettingsUnreadableError extends RelayError {
  /** For lists that name the instance themselves. */
  readonly reason: string;

  constructor(
    readonly instance: string,
    cause: unknown,
  ) {
    const reason = cause instanceof RelayError ? errorText(cause) : 'they are no settings of the relay';
    super('SETTINGS_UNREADABLE', `the settings of ${JSON.stringify(instance)} cannot be read: ${reason}`, {
      cause,
    });
    this.reason = reason;
  }
}
