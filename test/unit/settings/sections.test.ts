import fc from 'fast-check';
import { webhookSection } from '../../../src/destinations/webhook/webhook-section';
import { MODULES } from '../../../src/modules';
import { Sections } from '../../../src/settings/sections';
import { TOY_MODULES } from '../../support/toy/toy-modules';

const { sections } = MODULES;

test('a document of whatever form is the same where nothing is changed', () => {
  const names = fc.constantFrom('token', 'webhook', 'webhooks', 'sqs', 'other', '__proto__', 'constructor');
  fc.assert(
    fc.property(fc.dictionary(names, fc.jsonValue()), (document) => {
      expect(sections.map(document, (value) => value)).toEqual({ ...document });
    }),
  );
});

test('everything that is set is found by its path, named ones too', () => {
  const webhook = { url: 'https://a.test/' };
  const settings = sections.schema.parse({ sqs: {}, webhook, webhooks: { n8n: webhook } });
  expect(sections.all(settings).map(({ path }) => path)).toEqual(['webhook', 'webhooks.n8n', 'sqs']);
  expect(webhookSection.all(settings).map(({ slot }) => slot.name)).toEqual([undefined, 'n8n']);
});

test('what one list of sections stored is checked anew by another', () => {
  expect(TOY_MODULES.sections.fingerprint).not.toBe(sections.fingerprint);
  expect(new Sections(sections.list).fingerprint).toBe(sections.fingerprint);
});

test('a section that a relay does not know is left out of its settings', () => {
  const letterbox = { url: 'https://a.test/' };
  expect(TOY_MODULES.sections.schema.parse({ letterbox })).toMatchObject({ letterbox });
  expect(sections.schema.parse({ letterbox })).toEqual({ webhooks: {} });
});

test('null takes a field away only where the core API writes it so', () => {
  const [pusher, webhook] = [
    { appId: '1', key: 'k', secret: 's', cluster: 'eu', host: null },
    { url: 'https://a.test/', headers: null },
  ];
  expect(sections.schema.safeParse({ pusher }).success).toBe(false);
  expect(sections.schema.safeParse({ webhook }).success).toBe(true);
});
