/**
 * A made-up message in the shape of the core API (docs/core-api.md#envelope), different for each `index`.
 *
 * @param event as it stands in the envelope, such as `messages.upsert`
 */
export function sampleEvent(instance: string, event: string, index: number): Buffer {
  const now = new Date();
  const id = `3EB0${(now.getTime() * 1000 + index).toString(16).toUpperCase().padStart(16, '0')}`;
  return Buffer.from(
    JSON.stringify({
      event,
      instance,
      data: {
        key: { remoteJid: '5511988887777@s.whatsapp.net', fromMe: false, id },
        pushName: 'Sample',
        message: { conversation: `sample ${index + 1}` },
        messageType: 'conversation',
        messageTimestamp: Math.floor(now.getTime() / 1000),
        source: 'android',
      },
      server_url: 'http://localhost:8080',
      date_time: now.toISOString(),
      sender: '5511900000001@s.whatsapp.net',
      apikey: null,
    }),
  );
}

/** The same in the shape of evolution-go (docs/evolution-go.md#bodies). */
export function sampleGoEvent(instance: string, event: string, index: number): Buffer {
  const now = new Date();
  const chat = '5511988887777@s.whatsapp.net';
  const id = `3EB0${(now.getTime() * 1000 + index).toString(16).toUpperCase().padStart(16, '0')}`;
  const info = {
    Chat: chat,
    Sender: chat,
    ID: id,
    IsFromMe: false,
    IsGroup: false,
    Timestamp: now.toISOString(),
  };
  return Buffer.from(
    JSON.stringify({
      data: {
        Info: { ...info, Type: 'text', PushName: 'Sample' },
        Message: { conversation: `sample ${index + 1}` },
        messageType: 'conversation',
      },
      event,
      instanceId: SAMPLE_INSTANCE_ID,
      instanceName: instance,
      instanceToken: 'sample-token',
    }),
  );
}

export const SAMPLE_INSTANCE_ID = '00000000-0000-4000-8000-000000000000';
