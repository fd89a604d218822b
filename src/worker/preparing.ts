import type { Preparing } from '../destinations/prepared-destination';
import type { LidBook } from '../lids/lid-book';
import type { MediaLinks } from '../references/media-links';

/** What takes more than the event itself: what other events said, and a place for media. */
export function preparingOf(lids: LidBook, links: MediaLinks): Preparing {
  return {
    prepare: ({ envelope }, { lid, media }) => {
      const numbered = lid === true ? lids.prepare(envelope) : envelope;
      if (media !== 'link') return numbered;
      return numbered instanceof Promise
        ? numbered.then((each) => links.prepare(each))
        : links.prepare(numbered);
    },
  };
}
