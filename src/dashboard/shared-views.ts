import { LRUCache } from 'lru-cache';
import type { View } from './screen';

/** Ways to look at a screen: languages, filters and instances together. Each holds a page of rows. */
const MOST_VIEWS = 64;

interface Made<Readings> {
  readonly readings: Readings;
  readonly views: LRUCache<string, Promise<View>>;
}

/**
 * What a screen shows, made once for all who ask the same, as long as the readings that it is made of are the same. It is made of
 * these and of what is asked alone: neither the session of a viewer nor its forms can get into what others see.
 */
export class SharedViews<Readings extends readonly [object, ...object[]], Asked extends object> {
  /** By the first of the readings: views are let go of with what they are made of. */
  private readonly made = new WeakMap<object, Made<Readings>>();

  constructor(private readonly make: (readings: Readings, asked: Asked) => Promise<View>) {}

  of(readings: Readings, asked: Asked): Promise<View> {
    const views = this.viewsOf(readings);
    const key = JSON.stringify(asked);
    const known = views.get(key);
    if (known !== undefined) return known;
    const view = this.make(readings, asked);
    views.set(key, view);
    // The next one who asks tries again.
    view.catch(() => {
      if (views.peek(key) === view) views.delete(key);
    });
    return view;
  }

  private viewsOf(readings: Readings): LRUCache<string, Promise<View>> {
    const known = this.made.get(readings[0]);
    if (known?.readings.every((each, index) => each === readings[index])) return known.views;
    const views = new LRUCache<string, Promise<View>>({ max: MOST_VIEWS });
    this.made.set(readings[0], { readings, views });
    return views;
  }
}
