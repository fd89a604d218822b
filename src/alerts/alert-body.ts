import type { AlertFormat } from '../config/alert-config';
import { printable } from '../observability/printable';
import { counted } from '../plural';
import type { AlertMessage } from './alert-causes';
import { type AlertText, type Line, TEST_TEXT, textOf } from './alert-text';
import { named } from './due-alerts';

/** What an alert is about; `test` is what a person asks for. */
export type Alert = AlertMessage | { readonly kind: 'test'; readonly cause: 'test' };

export interface AlertContext {
  readonly format: AlertFormat;
  /** `ALERT_WEBHOOK_URL`: Telegram's says which chat it is for. */
  readonly url: string;
  /** Which relay this is: `REDIS_PREFIX_KEY`. */
  readonly relay: string;
  readonly now: number;
}

/** Longer texts from outside are cut off. */
const MOST_OF_TEXT = 300;
/** What the services take, less something for what an escaped character may become there. */
const MOST_OF_MESSAGE: Readonly<Record<Exclude<AlertFormat, 'json'>, number>> = {
  slack: 12_000,
  discord: 1900,
  telegram: 3900,
};
/** Discord: links in a message are shown without a preview. */
const SUPPRESS_EMBEDS = 4;

/** The JSON of an alert as its receiver wants it. */
export function alertBody(alert: Alert, context: AlertContext): Buffer {
  const text = alert.kind === 'test' ? TEST_TEXT : textOf(alert, context.now);
  return Buffer.from(JSON.stringify(bodyOf(alert, text, context)));
}

function bodyOf(alert: Alert, text: AlertText, context: AlertContext): object {
  switch (context.format) {
    case 'json':
      return plainBody(alert, text, context);
    case 'slack': {
      const asText = written(text, context, { quote: backticks, escaped: withoutAmpersands });
      return { text: asText, link_names: 0, unfurl_links: false, unfurl_media: false };
    }
    case 'discord': {
      const content = written(text, context, { quote: backticks, escaped: (each) => each });
      return { content, allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS };
    }
    case 'telegram':
      return telegramBody(text, context);
  }
}

function plainBody(alert: Alert, text: AlertText, { relay, now }: AlertContext): object {
  const items =
    alert.kind === 'test'
      ? []
      : alert.kind === 'counted'
        ? Object.entries(alert.letters.reasons).map(([reason, count]) => ({ reason, count }))
        : named<object>(alert.items);
  return {
    event: 'relay.alert',
    relay,
    cause: alert.cause,
    kind: alert.kind,
    text: [text.title, ...text.lines.map((line) => plainLine(line))].join('\n'),
    ...(alert.kind === 'test' ? {} : { total: alert.total }),
    items,
    date_time: new Date(now).toISOString(),
  };
}

function plainLine(line: Line): string {
  return line.map((piece) => (typeof piece === 'string' ? piece : printable(piece.foreign))).join('');
}

/** In HTML, as only there a text can be kept from being taken for links, mentions and commands. */
function telegramBody(text: AlertText, context: AlertContext): object {
  const { searchParams } = new URL(context.url);
  const quote = (each: string): string => `<code>${each}</code>`;
  const thread = searchParams.get('message_thread_id');
  return {
    chat_id: searchParams.get('chat_id'),
    ...(thread === null ? {} : { message_thread_id: thread }),
    text: written(text, context, { quote, escaped: withoutAmpersands }),
    parse_mode: 'HTML',
    link_preview_options: { is_disabled: true },
  };
}

interface Style {
  /** Texts from outside, so that nothing in them is mark-up. */
  readonly quote: (text: string) => string;
  readonly escaped: (text: string) => string;
}

function written({ title, lines }: AlertText, { format, relay }: AlertContext, style: Style): string {
  const { quote, escaped } = style;
  const most = format === 'json' ? Number.POSITIVE_INFINITY : MOST_OF_MESSAGE[format];
  const inLine = (line: Line): string =>
    line
      .map((piece) => (typeof piece === 'string' ? escaped(piece) : quote(escaped(shortened(piece.foreign)))))
      .join('');
  let text = inLine([`${title} (`, { foreign: relay }, ')']);
  for (const [index, line] of lines.entries()) {
    const next = `\n• ${inLine(line)}`;
    if (text.length + next.length > most)
      return `${text}\n… and ${counted(lines.length - index, 'more line')}`;
    text += next;
  }
  return text;
}

function shortened(foreign: string): string {
  const text = printable(foreign);
  return text.length > MOST_OF_TEXT ? `${text.slice(0, MOST_OF_TEXT)}…` : text;
}

/** Within them Slack and Discord take nothing for mark-up, mentions included; servers of the same kind may, so they get no @. */
function backticks(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll('@', '@\u200b') || ' '}\``;
}

function withoutAmpersands(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
