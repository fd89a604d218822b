import type { Fields, Section, Settings } from '../settings/section';
import type { SettingsRules } from '../settings/settings-rules';
import { type StoredSettings, settingsOrThrow } from '../settings/settings-store';
import type { CoreInstance, CoreSections } from './core';
import type { HandedOver } from './moving-notes';
import { planSection } from './section-plan';

/** What an import makes of one instance. */
export interface InstancePlan {
  readonly changes: readonly PlannedChange[];
  /** All settings afterwards. */
  readonly settings: Settings;
  readonly warnings: readonly string[];
}

export interface PlannedChange {
  /** `webhook`, `token`. */
  readonly what: string;
  readonly text: string;
}

export interface PlanRules {
  readonly settings: SettingsRules;
  /** Sections through which events are delivered; others say what is consumed. */
  readonly delivering: ReadonlySet<Section>;
  /** For a person: until when the core goes on to deliver. */
  readonly stillDelivered: string;
  /** Whether a section's events come without the instance's own exchange or queues. */
  isBrought(section: Section): boolean;
}

export interface PlanInput {
  readonly instance: CoreInstance;
  readonly found: CoreSections;
  readonly stored: StoredSettings;
  readonly handed: HandedOver;
}

/** @throws SettingsRefusedError, SettingsUnreadableError */
export function planInstance(rules: PlanRules, { instance, found, stored, handed }: PlanInput): InstancePlan {
  const before = settingsOrThrow(stored);
  const plans = [...found].flatMap(([section, of]) => {
    const parts = {
      section,
      found: of,
      stored: before,
      handed: handed[section.name],
      isBrought: rules.isBrought(section),
      delivers: rules.delivering.has(section),
      stillDelivered: rules.stillDelivered,
    };
    return planSection(parts) ?? [];
  });
  const own = ownFields(instance, before);
  const changes = [
    ...Object.keys(own).map((what) => ({ what, text: 'new' })),
    ...plans.map(({ section, text }) => ({ what: section.name, text })),
  ];
  const document = {
    ...before,
    ...own,
    ...Object.fromEntries(plans.map(({ section, value }) => [section.name, value])),
  };
  rules.settings.check(
    instance.name,
    Object.fromEntries(plans.map((plan) => [plan.section.name, plan.asThere])),
  );
  if (changes.length === 0) return { changes, settings: before ?? {}, warnings: [] };
  const { settings, warnings } = rules.settings.check(instance.name, document);
  return { changes, settings, warnings: warnings.filter((line) => isAbout(changes, line)) };
}

/** The core's id of the instance and its token, where the relay has none: the token opens the instance's WebSockets here, too. */
function ownFields({ id, token }: CoreInstance, before: Settings | undefined): Fields {
  const isFit = token !== undefined && token.length >= MIN_TOKEN && token.length <= MAX_TOKEN;
  return {
    ...(id === undefined || before?.instanceId !== undefined ? {} : { instanceId: id }),
    ...(isFit && before?.token === undefined ? { token } : {}),
  };
}

/** What the relay takes; the core takes any. */
const MIN_TOKEN = 8;
const MAX_TOKEN = 255;

function isAbout(changes: readonly PlannedChange[], line: string): boolean {
  return changes.some(({ what }) => line.startsWith(what));
}
