import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { AlertSender } from '../alerts/alert-sender';
import { ConfigError, explainCode } from '../errors';
import { MODULES } from '../modules';
import { FINDING } from './exit';
import { complain, printLine } from './output';

export function alertsCommand(): Command {
  const command = new Command('alerts').description("the operator's alerts (ALERT_WEBHOOK_URL)");
  command.command('test').description('send a test alert now, once, and say what came back').action(test);
  return command;
}

async function test(): Promise<void> {
  const { config, unheeded } = MODULES.loadConfig(process.cwd(), process.env);
  const { url, format } = config.alerts;
  if (url === undefined)
    throw new ConfigError(['ALERT_WEBHOOK_URL: must be set, as alerts are sent there', ...unheeded]);
  const sender = new AlertSender({ config, url });
  try {
    const outcome = await sender.once(`alert_test_${randomUUID()}`, { kind: 'test', cause: 'test' });
    const { origin } = new URL(url);
    if (outcome.kind === 'delivered')
      return printLine(
        `sent to ${origin} in the format ${format}: it answered ${outcome.status ?? ''}`.trim(),
      );
    process.exitCode = FINDING;
    const answer = 'answer' in outcome && outcome.answer !== undefined ? `: ${outcome.answer}` : '';
    complain(
      `not sent to ${origin} (format ${format}): ${'code' in outcome ? explainCode(outcome.code) : outcome.kind}${answer}`,
    );
  } finally {
    await sender.close();
  }
}
