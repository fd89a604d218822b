import { type AttemptRecord, withoutSigns } from '../../pipeline/delivery';

/** The answer to a test of a webhook. */
export interface WebhookTestAnswer {
  readonly outcome: string;
  readonly durationMs?: number;
  readonly [detail: string]: unknown;
}

/**
 * Codes that say something about the receiver: it answered, or was connected to. All others (a name that leads nowhere, one
 * that leads inside, a proxy of the operator's) would tell a tenant about the operator's own network.
 */
const ABOUT_THE_RECEIVER: readonly RegExp[] = [
  /^HTTP_\d{3}$/,
  /^TIMEOUT$/,
  /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH)$/,
  /^UND_ERR_/,
  /^HPE_/,
  /^(CERT|ERR_TLS|ERR_SSL|EPROTO|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH)/,
];

export const UNREACHABLE_ANSWER: WebhookTestAnswer = {
  outcome: 'failed',
  code: 'ADDRESS_UNREACHABLE',
  answer: 'The name of this address cannot be found, or it leads to where webhooks may not be sent',
};

/** Everything: for the operator. */
export function fullAnswer({ durationMs, outcome }: AttemptRecord): WebhookTestAnswer {
  const { kind, ...rest } = withoutSigns(outcome);
  return { outcome: kind, durationMs, ...rest };
}

/** For the holder of a token: what says anything about names and addresses inside is one and the same answer. */
export function tenantsAnswer(record: AttemptRecord): WebhookTestAnswer {
  const { outcome } = record;
  if (!('code' in outcome) || ABOUT_THE_RECEIVER.some((form) => form.test(outcome.code))) {
    return fullAnswer(record);
  }
  return UNREACHABLE_ANSWER;
}
