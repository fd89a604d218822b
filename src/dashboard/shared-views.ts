import { LRUCache } from 'lru-cache';
import type { View } from './screen';

/** Ways to look at a screen: languages, filters and instances together. Each holds a page of rows. */
const MOST_VIEWS = 64;

/**
 * What a screen shows, made once for all who ask the same, as long as the readings that it is made of are the same. It is made of
 * these and of what is asked alone: neither the session of a viewer nor its forms can get into what others see.
 */
export class SharedViews<Readings extends readonly object[], Asked extends object> {
  private readings: Readings | undefined;
  private readonly views = new LRUCache<string, Promise<View>>({ max: MOST_VIEWS });

  constructor(private readonly make: (readings: Readings, asked: Asked) => Promise<View>) {}

  of(readings: Readings, asked: Asked): Promise<View> {
    if (!this.isMadeOf(readings)) {
      this.views.clear();
      this.readings = readings;
    }
    const key = JSON.stringify(asked);
    return this.views.get(key) ?? this.begin(key, this.make(readings, asked));
  }

  private isMadeOf(readings: Readings): boolean {
    return this.readings?.every((each, index) => each === readings[index]) ?? false;
  }

  private begin(key: string, view: Promise<View>): Promise<View> {
    this.views.set(key, view);
    // The next one who asks tries again.
    view.catch(() => {
      if (this.views.peek(key) === view) this.views.delete(key);
    });
    return view;
  }
}
