import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  causeWords,
  FAILURE_CAUSES,
  type FailureCause,
  failureCauseOf,
} from '../../../src/pipeline/failure-cause';

const NETWORK = join(__dirname, '../../../src/network');
const RAISED = /(?:NameError|TunnelError|AnswerError|this\.refuse)\(\s*'([A-Z_]+)'|super\('([A-Z_]+)'/g;

describe('why a destination takes nothing', () => {
  test.each<[code: string | undefined, cause: FailureCause]>([
    ['HTTP_503', 'refused'],
    ['ENOTFOUND', 'name-unknown'],
    ['EAI_AGAIN', 'name-servers'],
    ['ECONNREFUSED', 'nothing-listens'],
    ['ECONNRESET', 'cut-off'],
    ['UND_ERR_SOCKET', 'cut-off'],
    ['TIMEOUT', 'no-answer'],
    ['EHOSTUNREACH', 'no-way'],
    ['CERT_HAS_EXPIRED', 'certificate'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no-tls'],
    ['ADDRESS_REFUSED', 'blocked'],
    ['PROXY_UNREACHED', 'proxy'],
    ['HPE_INVALID_HEADER_TOKEN', 'bad-answer'],
    ['SOMETHING_NEW', 'other'],
    [undefined, 'other'],
  ])('%s: %s', (code, cause) => {
    expect(failureCauseOf(code)).toBe(cause);
  });

  test('is a clause of its own for each cause, and nothing where the code says it', () => {
    const codes = ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'TIMEOUT', 'EHOSTUNREACH'];
    codes.push('CERT_REVOKED', 'EPROTO', 'ADDRESS_REFUSED', 'PROXY_REFUSED', 'ANSWER_TOO_LARGE');
    expect(new Set(codes.map((code) => causeWords(code))).size).toBe(FAILURE_CAUSES.length - 2);
    expect([causeWords('HTTP_404'), causeWords('NEW'), causeWords(undefined)]).toEqual(['', '', '']);
  });

  test('is known for every code that the network raises of a destination', () => {
    const sources = readdirSync(NETWORK).map((file) => readFileSync(join(NETWORK, file), 'utf8'));
    const codes = sources.flatMap((source) =>
      [...source.matchAll(RAISED), ...source.matchAll(/: '(PROXY_[A-Z]+)'/g)].map(
        ([, one, other]) => one ?? other ?? '',
      ),
    );
    expect(codes.length).toBeGreaterThan(8);
    expect(codes.filter((code) => failureCauseOf(code) === 'other')).toEqual([]);
  });
});
