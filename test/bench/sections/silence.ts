import { BEGIN, KINDS, type Kind, live, seeded } from '../../support/values/synthetic-weeks';
import type { Bench } from '../context';
import { heading, verdict } from '../report';

const HOUR_MS = 3_600_000;
const WEEKS = 8;
const INSTANCES = 25;
/** A Wednesday afternoon, or evening, of the sixth week: every kind speaks then. */
const FAILS_IN_WEEK = 5;
const MOST_FALSE = 1;
const SEEN_WITHIN_MINUTES = 20;

/** How often the silence detector is wrong, and how soon it is right, over synthetic weeks of several kinds of instances. */
export async function measureSilence({ print, options, progress }: Bench): Promise<void> {
  const instances = INSTANCES * options.rounds;
  heading(print, `Silence: ${instances} instances of each kind, ${WEEKS} weeks`);
  let alarms = 0;
  for (const kind of KINDS) {
    progress(`silence: ${kind.name}`);
    const raised = falseAlarms(kind, instances);
    alarms += raised;
    const minutes = detections(kind, instances);
    const half = minutes[Math.floor(minutes.length / 2)];
    print(
      `  ${kind.name}: ${raised} false alarms; silence seen by ${minutes.length} of ${instances}, half of them within ${shown(half)}`,
    );
    if (kind.name === 'lively shop')
      verdict(print, {
        what: 'a lively instance falls silent',
        value: half ?? Number.NaN,
        unit: ' min',
        atMost: SEEN_WITHIN_MINUTES,
      });
  }
  const perHundredWeeks = (alarms / (instances * KINDS.length * WEEKS)) * 100;
  verdict(print, {
    what: 'false alarms in 100 instance-weeks',
    value: perHundredWeeks,
    unit: '',
    atMost: MOST_FALSE,
  });
}

function falseAlarms(kind: Kind, instances: number): number {
  let alarms = 0;
  for (let instance = 0; instance < instances; instance++)
    alarms += live({ kind, weeks: WEEKS, random: seeded(instance * 7919 + 1) }).length;
  return alarms;
}

/** Minutes until it is seen, of those of which it is seen within the week. */
function detections(kind: Kind, instances: number): number[] {
  const hour = kind.name === 'restaurant in the evening' ? 20.5 : 15.5;
  const failsAt = BEGIN + (FAILS_IN_WEEK * 168 + 2 * 24 + hour) * HOUR_MS;
  const minutes: number[] = [];
  for (let instance = 0; instance < instances; instance++) {
    const random = seeded(instance * 104_729 + 5);
    const seen = live({ kind, weeks: FAILS_IN_WEEK + 1, random, failsAt }).find(({ at }) => at > failsAt);
    if (seen !== undefined) minutes.push((seen.at - failsAt) / 60_000);
  }
  return minutes.sort((one, other) => one - other);
}

function shown(minutes: number | undefined): string {
  if (minutes === undefined) return 'nothing';
  return minutes < 120 ? `${minutes.toFixed(0)} min` : `${(minutes / 60).toFixed(0)} h`;
}
