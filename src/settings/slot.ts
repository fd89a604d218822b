import type { PusherSettings, SectionName, Settings, SwitchSettings, WebhookSettings } from './schema';

/** One thing that is set for an instance: a section, or one of its named webhooks. */
export type Slot =
  | { readonly section: SectionName }
  | { readonly section: 'webhooks'; readonly name: string };

export type SlotValue = WebhookSettings | PusherSettings | SwitchSettings;

export function readSlot(settings: Settings | undefined, slot: Slot): SlotValue | undefined {
  if (slot.section !== 'webhooks') return settings?.[slot.section];
  // A webhook may be called `constructor`, which every object has.
  return settings !== undefined && Object.hasOwn(settings.webhooks, slot.name)
    ? settings.webhooks[slot.name]
    : undefined;
}

/** Settings with nothing in the slot. */
export function withoutSlot(settings: Settings, slot: Slot): Settings {
  if (slot.section === 'webhooks') {
    const { [slot.name]: _removed, ...webhooks } = settings.webhooks;
    return { ...settings, webhooks };
  }
  const { [slot.section]: _removed, ...rest } = settings;
  return rest;
}

/** A document that has `value` in the slot, and what else `settings` has. */
export function documentWith(settings: Settings | undefined, slot: Slot, value: unknown): object {
  if (slot.section !== 'webhooks') return { ...settings, [slot.section]: value };
  return { ...settings, webhooks: { ...settings?.webhooks, [slot.name]: value } };
}

/** How problems and messages name it. */
export function pathOf(slot: Slot): string {
  return slot.section === 'webhooks' ? `webhooks.${slot.name}` : slot.section;
}
