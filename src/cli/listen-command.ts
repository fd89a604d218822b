import { Command, InvalidArgumentError } from 'commander';
import { httpUrl, isHeader, isSigningKey, parseJson, unsendableKey, wantedBy } from '../config/formats';
import { errorText, explainCode } from '../errors';
import { filterOfNames, keyNamed } from '../events/event-names';
import { didYouMeanEvent } from '../events/nearest-event';
import { ContentFilter, filterProblems } from '../filters/content-filter';
import type { ForwardAttempt } from '../listen/forwarder';
import type { ListenCounts } from '../listen/listener';
import { MODULES } from '../modules';
import { counted } from '../plural';
import { FINDING, UsageError } from './exit';
import { parseInstance } from './instance-option';
import { complain, printLine } from './output';

interface Options {
  readonly forward: string;
  readonly instance?: string;
  readonly gateway?: string;
  readonly token?: string;
  readonly events?: readonly string[];
  readonly filter?: unknown;
  readonly secret?: readonly string[];
  readonly header?: Readonly<Record<string, string>>;
  readonly byEvents?: boolean;
  readonly lastEventId: string;
}

/** As the gateway numbers events. */
const EVENT_ID = /^\d+-\d+$/;

export function listenCommand(): Command {
  return new Command('listen')
    .description("post an instance's events to a server of this machine, as they come from a gateway")
    .requiredOption('--forward <url>', 'where to, such as http://localhost:5678/webhook', parseUrlOption)
    .option(
      '--instance <name>',
      "this instance's events; without it those of all (WEBSOCKET_GLOBAL_EVENTS)",
      parseInstance,
    )
    .option(
      '--gateway <url>',
      'address of the gateway; default: this machine and GATEWAY_PORT',
      parseUrlOption,
    )
    .option('--token <token>', "the instance's own token; default: AUTHENTICATION_API_KEY", parseToken)
    .option('--events <names>', 'only these, comma separated: messages.upsert or MESSAGES_UPSERT', parseNames)
    .option(
      '--filter <json>',
      'only what passes, as {"data.key.fromMe": false} (docs/filters.md)',
      parseFilter,
    )
    .option('--secret <secret>', 'signs as the webhook with this secret would', parseSecret)
    .option('--header <name:value>', 'a header of the webhook; may be given several times', parseHeader)
    .option('--by-events', 'append /messages-upsert and so on to the address')
    .option('--last-event-id <id>', 'go on after this event instead of now', 'now')
    .action(listen);
}

function parseUrlOption(text: string): string {
  const url = httpUrl.parse(text)?.value;
  if (url === undefined) throw new InvalidArgumentError(`must be ${wantedBy(httpUrl, text)}`);
  return url;
}

/** What is wrong with a secret is said without it. */
function parseToken(text: string): string {
  const problem = text === '' ? undefined : unsendableKey(text);
  if (problem !== undefined) throw new UsageError(`--token: ${problem}`);
  return text;
}

function parseNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.some((name) => name === '')) throw new InvalidArgumentError('must be a comma-separated list');
  const unknown = names.find((name) => keyNamed(name) === undefined);
  if (unknown !== undefined)
    throw new InvalidArgumentError(`${unknown} is no event${didYouMeanEvent(unknown)}`);
  return names;
}

function parseFilter(text: string): unknown {
  const filter = parseJson(text);
  if (filter === undefined) throw new InvalidArgumentError('must be JSON');
  const problems = filterProblems(filter);
  if (problems.length === 0) return filter;
  const lines = problems.map(({ path, problem }) => `${['filter', ...path].join('.')}: ${problem}`);
  throw new InvalidArgumentError(lines.join('; '));
}

function parseSecret(text: string): string[] {
  const secrets = text.split(',').map((each) => each.trim());
  if (!secrets.every(isSigningKey)) throw new UsageError('--secret: must be base64 of at least 16 bytes');
  return secrets;
}

function parseHeader(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const colon = text.indexOf(':');
  const [name, value] = [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
  if (colon < 1 || !isHeader(name, value)) throw new InvalidArgumentError('must be name:value');
  return { ...before, [name]: value };
}

async function listen(options: Options): Promise<void> {
  const { config } = MODULES.loadConfig(process.cwd(), process.env);
  const key = options.token ?? config.gateway.apiKey;
  if (key === '') throw new UsageError('--token: must be given where AUTHENTICATION_API_KEY is not set');
  const gateway = options.gateway ?? `http://localhost:${config.gateway.port}`;
  // Only here: no other command needs them.
  const { Forwarder } = await import('../listen/forwarder.js');
  const { Listener } = await import('../listen/listener.js');
  const forwarder = new Forwarder({
    url: options.forward,
    instance: options.instance,
    headers: options.header ?? {},
    secrets: options.secret ?? [],
    byEvents: options.byEvents === true,
    onAttempt: attemptPrinter(options),
  });
  const ended = new Ending();
  const listener = new Listener({
    ...{ gateway, key, forwarder },
    instance: options.instance,
    lastEventId: options.lastEventId,
    events: options.events === undefined ? 'all' : filterOfNames(options.events),
    content: ContentFilter.of({ filter: options.filter }),
    onOpen: () => printLine(`connected to ${gateway}: events go to ${options.forward}`),
    onCut: (reason, pauseMs) =>
      complain(`${gateway}: ${reason}: trying again in ${(pauseMs / 1000).toFixed(1)} s`),
    onRefused: (reason) => ended.end(reason),
    onUnreadable: (error) => complain(`what came is no event: ${errorText(error)}`),
    onGap: (after, until) =>
      complain(
        `relay.gap: events after ${after} and up to ${until} are lost, as the gateway no longer has them`,
      ),
  });
  listener.start();
  void hint({ gateway, key, instance: options.instance });
  const refusal = await ended.promise;
  await forwarder.close();
  await listener.stop();
  report(listener.result, refusal);
}

/** Somebody would wait in vain: a client is let in, whatever the instance has. */
async function hint(asked: { gateway: string; key: string; instance: string | undefined }): Promise<void> {
  const { instance } = asked;
  if (instance === undefined) return;
  const { missingSection } = await import('../listen/missing-section.js');
  const fault = await missingSection({ ...asked, instance });
  if (fault !== undefined) complain(fault);
}

/** Resolves with the first signal, or with why the gateway refuses. A second signal ends the process at once. */
class Ending {
  readonly promise: Promise<string | undefined>;
  private resolve: (refusal: string | undefined) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.resolve = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        this.resolve(undefined);
        process.once(signal, () => process.exit(FINDING));
      });
    }
  }

  end(refusal: string): void {
    this.resolve(refusal);
  }
}

function report(
  { delivered, failed, leftOut, gaps, waiting, lastEventId }: ListenCounts,
  refusal?: string,
): void {
  const others = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(leftOut > 0 ? [`${leftOut} left out`] : []),
    ...(waiting > 0 ? [`${waiting} not forwarded`] : []),
    ...(gaps > 0 ? [counted(gaps, 'gap')] : []),
  ];
  printLine([`${delivered} delivered`, ...others].join(', '));
  // What somebody gave and the gateway refused is nothing to go on from.
  if (EVENT_ID.test(lastEventId)) printLine(`to go on from here: --last-event-id ${lastEventId}`);
  if (refusal === undefined) return;
  complain(refusal);
  process.exitCode = FINDING;
}

/** One line for each attempt; of those that wait for a server, the first one. */
function attemptPrinter({ instance, forward }: Options): (attempt: ForwardAttempt) => void {
  let isWaiting = false;
  return ({ envelope, attempt, outcome, durationMs, next }) => {
    const wasWaiting = isWaiting;
    isWaiting = next === 'waits';
    if (wasWaiting && isWaiting) return;
    const about = [
      new Date().toISOString().slice(11, 23),
      ...(instance === undefined ? [envelope.instance] : []),
      envelope.event,
    ];
    printLine(`${about.join(' ')} ${resultOf(outcome)} ${durationMs} ms${endOf(next, attempt, forward)}`);
  };
}

function resultOf(outcome: ForwardAttempt['outcome']): string {
  if ('status' in outcome && outcome.status !== undefined && outcome.status > 0)
    return String(outcome.status);
  return 'code' in outcome ? explainCode(outcome.code) : outcome.kind;
}

function endOf(next: ForwardAttempt['next'], attempt: number, forward: string): string {
  switch (next) {
    case 'done':
      return attempt > 1 ? ` (attempt ${attempt})` : '';
    case 'again':
      return ` (attempt ${attempt}, tried again)`;
    case 'given-up':
      return ` (attempt ${attempt}, given up)`;
    case 'waits':
      return `: waiting for ${new URL(forward).origin}`;
  }
}
