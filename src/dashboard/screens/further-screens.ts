import type { DestinationList } from '../../health/destination-list';
import type { Replays } from '../../replays/open-replays';
import type { SilenceStore } from '../../silence/silence-store';
import { DeadLetterSurveys } from '../dead-letter-surveys';
import type { DeliveryReader } from '../delivery-reader';
import { FilterTrials } from '../filter-trials';
import type { DescribedSection } from '../form-fields';
import { InstanceList, type InstanceListParts } from '../instance-list';
import type { Overviews } from '../overviews';
import type { OwnApi } from '../own-api';
import type { ScreenSet } from '../screen';
import { SectionReader } from '../section-reader';
import { deadLetterActions } from './dead-letter-actions';
import { DeadLetterScreen } from './dead-letter-screen';
import { DeadLettersScreen } from './dead-letters-screen';
import { deliveriesScreen } from './deliveries-screen';
import { deliveryActions } from './delivery-actions';
import { DeliveryScreen } from './delivery-screen';
import { instanceActions } from './instance-actions';
import { InstanceScreen } from './instance-screen';
import { instancesScreen } from './instances-screen';
import { SectionScreen, sectionAction } from './section-screen';
import { tailScreen } from './tail-screen';

export interface FurtherScreensParts {
  readonly api: OwnApi;
  readonly overviews: Overviews;
  readonly destinations: DestinationList;
  readonly replays: Replays;
  readonly silence: SilenceStore;
  readonly allSettings: InstanceListParts['allSettings'];
  readonly reader: DeliveryReader;
  readonly sections: readonly DescribedSection[];
}

/** Deliveries, dead letters, instances, and events as they come. */
export function furtherScreens(parts: FurtherScreensParts): ScreenSet[] {
  const { reader } = parts;
  return [
    deliveriesScreen(reader),
    deliverySet(parts, reader),
    deadLetterSet(parts),
    instancesScreen(new InstanceList(parts)),
    instanceSet(parts, reader),
    tailScreen(reader),
  ];
}

function deliverySet({ api, destinations, replays }: FurtherScreensParts, reader: DeliveryReader): ScreenSet {
  const screen = new DeliveryScreen({ api, destinations, reader, replays: replays.store });
  return { screens: [screen], actions: deliveryActions({ api, screen }) };
}

function deadLetterSet({ api, replays: { deadLetters, store } }: FurtherScreensParts): ScreenSet {
  const surveys = new DeadLetterSurveys({ deadLetters });
  const list = new DeadLettersScreen({ surveys, replays: store });
  const one = new DeadLetterScreen(deadLetters);
  return { screens: [list, one], actions: deadLetterActions({ api, store, surveys, list, one }) };
}

function instanceSet(
  { api, overviews, silence, sections: described }: FurtherScreensParts,
  reader: DeliveryReader,
): ScreenSet {
  const sections = new SectionReader(api, described);
  const screen = new InstanceScreen({ api, overviews, silence, reader, sections });
  const section = new SectionScreen({ reader: sections, instances: screen });
  const trials = new FilterTrials({ api, reader });
  const actions = [...instanceActions({ api, trials, screen }), sectionAction(section)];
  return { screens: [screen, section], actions };
}
