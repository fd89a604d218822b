import { RelayError } from '../errors';

/** What keeps a core from being read or changed. */
export type CoreApiProblem =
  /** Nothing answers. */
  | 'CORE_UNREACHABLE'
  /** It, or a proxy before it, says that it does not serve at the moment. */
  | 'CORE_UNAVAILABLE'
  | 'CORE_KEY_REFUSED'
  | 'CORE_NOT_ACTIVATED'
  /** What answers there is something else. */
  | 'CORE_NOT_FOUND'
  /** The core has no such instance, or no such route. */
  | 'CORE_MISSING'
  | 'CORE_REFUSED';

export class CoreApiError extends RelayError {
  constructor(
    override readonly code: CoreApiProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }

  /** Whether it is about the core as a whole: asking for the next instance does not help. */
  get isAboutAll(): boolean {
    return this.code !== 'CORE_MISSING' && this.code !== 'CORE_REFUSED';
  }
}
