/** What keeps a destination from taking what it is sent, as a person has to know it: each asks for something else to be mended. */
export const FAILURE_CAUSES = [
  /** It answered, and not with success. */
  'refused',
  'name-unknown',
  'name-servers',
  'nothing-listens',
  'cut-off',
  'no-answer',
  'no-way',
  'certificate',
  'no-tls',
  'blocked',
  'proxy',
  'bad-answer',
  /** No code, or one that nobody has listed. */
  'other',
] as const;
export type FailureCause = (typeof FAILURE_CAUSES)[number];
/** Of an attempt that was not answered, or not with an answer of HTTP. */
export type UnansweredCause = Exclude<FailureCause, 'refused' | 'other'>;

/** Codes of attempts that got no answer, of Node.js, OpenSSL, undici and the relay (docs/troubleshooting.md). */
const CODES: Readonly<Record<UnansweredCause, readonly string[]>> = {
  'name-unknown': ['ENOTFOUND', 'ENODATA', 'EAI_NONAME'],
  'name-servers': ['EAI_AGAIN', 'RESOLVER_DOWN', 'ESERVFAIL'],
  'nothing-listens': ['ECONNREFUSED'],
  'cut-off': ['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'UND_ERR_SOCKET'],
  'no-answer': [
    'TIMEOUT',
    'ETIMEDOUT',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_BODY_TIMEOUT',
  ],
  'no-way': ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT'],
  certificate: [
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_REVOKED',
    'CERT_REJECTED',
    'CERT_UNTRUSTED',
    'CERT_CHAIN_TOO_LONG',
    'CERT_SIGNATURE_FAILURE',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HOSTNAME_MISMATCH',
    'INVALID_CA',
    'INVALID_PURPOSE',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ],
  'no-tls': ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG'],
  blocked: ['ADDRESS_REFUSED'],
  proxy: ['PROXY_UNREACHABLE', 'PROXY_UNREACHED', 'PROXY_REFUSED', 'PROXY_AUTHENTICATION'],
  'bad-answer': [
    'ANSWER_TOO_LARGE',
    'ANSWER_HEAD_TOO_LARGE',
    'TOO_MANY_INTERIM_ANSWERS',
    'UND_ERR_HEADERS_OVERFLOW',
    'HPE_INVALID_CONSTANT',
  ],
};

/** Codes of which there are too many to list. */
const KINDS: readonly (readonly [beginning: string, cause: FailureCause])[] = [
  ['HTTP_', 'refused'],
  ['HPE_', 'bad-answer'],
  ['ERR_SSL_', 'no-tls'],
  ['ERR_TLS_', 'no-tls'],
  ['CERT_', 'certificate'],
];

/** Codes of a cause that are listed one by one. */
export const LISTED_CODES: readonly string[] = Object.values(CODES).flat();

const CAUSES: ReadonlyMap<string, FailureCause> = new Map(
  FAILURE_CAUSES.flatMap((cause) =>
    cause === 'refused' || cause === 'other' ? [] : CODES[cause].map((code) => [code, cause] as const),
  ),
);

/** @param code of the last attempt */
export function failureCauseOf(code: string | undefined): FailureCause {
  if (code === undefined) return 'other';
  return CAUSES.get(code) ?? KINDS.find(([beginning]) => code.startsWith(beginning))?.[1] ?? 'other';
}

/** As clauses about the destination. */
export const CAUSE_WORDS: Readonly<Record<UnansweredCause, string>> = {
  'name-unknown': 'the host name in its address does not exist',
  'name-servers': 'the name servers do not answer for the host name in its address',
  'nothing-listens': 'nothing listens at its address',
  'cut-off': 'it ends the connection before it has answered',
  'no-answer': 'it does not answer in time',
  'no-way': 'the network has no way to its address',
  certificate: 'its TLS certificate is not accepted',
  'no-tls': 'no TLS connection can be agreed on with it',
  blocked: 'its address is in a network that the relay may not call',
  proxy: 'the proxy does not get through to it',
  'bad-answer': 'what it answers is not HTTP, or has no end',
};

/** Why it takes nothing, in the words of one language; empty where the code says most of it already. */
export function causeWords(
  code: string | undefined,
  words: Readonly<Record<UnansweredCause, string>> = CAUSE_WORDS,
): string {
  const cause = failureCauseOf(code);
  return cause === 'refused' || cause === 'other' ? '' : words[cause];
}
