import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { untilReady } from '../support/harness/sources';
import { REGION, SqsHarness } from '../support/harness/sqs-harness';
import { HOST } from '../support/processes/ports';
import { PrivateSqs } from '../support/servers/sqs-service';

/*
 * Without SQS_ACCESS_KEY_ID and SQS_SECRET_ACCESS_KEY the SDK looks for credentials where AWS puts them. The emulator checks no
 * signature: what a request says it was signed with tells where they came from.
 */
let service: PrivateSqs;
let harness: SqsHarness;
let folder: string;
const before = { ...process.env };

beforeAll(async () => {
  service = await PrivateSqs.start();
});
afterAll(() => service.stop());
beforeEach(async () => {
  harness = await SqsHarness.open(service);
  folder = await mkdtemp(join(tmpdir(), 'relay-aws-'));
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
  process.env['AWS_CONFIG_FILE'] = join(folder, 'none');
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
});
afterEach(async () => {
  process.env = { ...before };
  await harness.close();
  await rm(folder, { recursive: true });
});

async function signedWith(): Promise<{ readonly key: string | undefined; readonly token: unknown }> {
  const connection = { region: REGION, endpoint: harness.proxy.endpoint, credentials: undefined };
  const source = harness.create({}, { connection });
  await source.start(() => {});
  await untilReady(source);
  const [call] = await harness.proxy.calls.count(1);
  const key = /Credential=([^/]+)\//.exec(String(call?.headers.authorization))?.[1];
  return { key, token: call?.headers['x-amz-security-token'] };
}

test('a profile of the shared credentials file is used', async () => {
  process.env['AWS_PROFILE'] = 'relay';
  await writeFile(
    join(folder, 'credentials'),
    '[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n[relay]\naws_access_key_id = PROFILE\naws_secret_access_key = y\n',
  );
  expect(await signedWith()).toEqual({ key: 'PROFILE', token: undefined });
});

test('the role of a container is used, with its session token', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization);
    const Expiration = new Date(Date.now() + 3_600_000).toISOString();
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ AccessKeyId: 'ROLE', SecretAccessKey: 'z', Token: 'session', Expiration }));
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  try {
    const { port } = server.address() as AddressInfo;
    process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `http://${HOST}:${port}/role`;
    process.env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] = 'secret';
    expect(await signedWith()).toEqual({ key: 'ROLE', token: 'session' });
    expect(asked).toEqual(['secret']);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
