import { SharedBudget } from '../network/shared-budget';
import { HttpError } from './http-errors';

/** Each may go through a million records. */
const IN_ALL = 8;
const RETRY_AFTER_SECONDS = 2;

/** Searches of the delivery log that instances' tokens ask for: few at once, so that nobody else waits for them. */
export class TenantSearches {
  private readonly searches: SharedBudget;

  constructor(private readonly perInstance: number) {
    this.searches = new SharedBudget({ inAll: IN_ALL, perHolder: perInstance });
  }

  /**
   * @param instance whose token asks; undefined: the operator does, who waits for nobody
   * @throws HttpError 429
   */
  async begin<T>(instance: string | undefined, search: () => Promise<T>): Promise<T> {
    if (instance === undefined) return search();
    const taking = this.searches.take(instance);
    if (taking.kind !== 'taken')
      throw new HttpError(429, [this.refusalBy(taking.limit)], RETRY_AFTER_SECONDS);
    try {
      return await search();
    } finally {
      taking.release();
    }
  }

  private refusalBy(limit: 'holder' | 'all'): string {
    return limit === 'holder'
      ? `${this.perInstance} searches of this instance are under way: try again`
      : `${IN_ALL} searches of instances are under way: try again`;
  }
}
