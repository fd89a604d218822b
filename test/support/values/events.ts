import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MalformedEventError } from '../../../src/errors';
import { type Envelope, type Origin, parseEnvelope } from '../../../src/events/envelope';
import { type Delivery, type Destination, deliveryId, destinationKey } from '../../../src/pipeline/delivery';

const FOLDER = join(__dirname, '..', '..', 'fixtures');

export function fixtureNames(): string[] {
  return readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
}

export function fixture(name: string): Buffer {
  return readFileSync(join(FOLDER, name));
}

/** A small event body; every call with another number is another event. */
export function eventBody(number: number, extra: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      event: 'messages.upsert',
      instance: 'loja-centro',
      data: { key: { id: `3EB0${number}`, fromMe: false }, message: { conversation: `oi ${number}` } },
      server_url: 'https://evo.example.test',
      date_time: '2025-11-03T14:22:07.415Z',
      sender: '5511900000001@s.whatsapp.net',
      apikey: null,
      ...extra,
    }),
  );
}

export function envelopeOf(body: Buffer | string, origin: Origin = { routingKey: '' }): Envelope {
  return parseEnvelope(Buffer.from(body), origin);
}

/** Why a body can never be an event; undefined where it is one. */
export function codeOf(body: Buffer | string, routingKey = ''): string | undefined {
  try {
    parseEnvelope(typeof body === 'string' ? Buffer.from(body) : body, { routingKey });
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedEventError)) throw error;
    return error.code;
  }
}

export function deliveryTo(destination: Destination, body: Buffer | string = eventBody(1)): Delivery {
  const envelope = envelopeOf(body);
  return { id: deliveryId(envelope.id, destinationKey(destination.id)), envelope, destination };
}

/** A body as evolution-go publishes it: one line, its keys in alphabetical order. */
export function goFixture(name: string): Buffer {
  const text = readFileSync(join(FOLDER, 'evolution-go', `${name}.json`), 'utf8');
  return Buffer.from(JSON.stringify(JSON.parse(text)));
}

export function goFixtureNames(): string[] {
  return readdirSync(join(FOLDER, 'evolution-go')).map((file) => file.replace(/\.json$/, ''));
}

/** A small body of evolution-go. */
export function goBody(extra: Readonly<Record<string, unknown>> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      data: { State: 'composing' },
      event: 'ChatPresence',
      instanceId: '7c1f5b0e-2d3a-4f77-9a51-3c0c1f6f2b10',
      instanceName: 'vendas',
      instanceToken: 'go-token-0A1B2C3D4E5F',
      ...extra,
    }),
  );
}
