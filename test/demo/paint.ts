import { styleText } from 'node:util';

/** Colours on a terminal, unless NO_COLOR (no-color.org) is set. */
export function paint(style: 'bold' | 'dim' | 'green' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env['NO_COLOR'] ? styleText(style, text) : text;
}
