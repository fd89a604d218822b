export interface Sample {
  readonly instance: string;
  /** As it stands in the envelope, such as `messages.upsert`. */
  readonly event: string;
  /** Samples differ by it. */
  readonly index: number;
  /** The core API's SERVER_URL; evolution-go's events have none. */
  readonly serverUrl: string;
}

/** A made-up message in the shape of the core API (docs/core-api.md#envelope). */
export function sampleEvent({ instance, event, index, serverUrl }: Sample): Buffer {
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
      server_url: serverUrl,
      date_time: now.toISOString(),
      sender: '5511900000001@s.whatsapp.net',
      apikey: null,
    }),
  );
}

/** The same in the shape of evolution-go (docs/evolution-go.md#bodies). */
export function sampleGoEvent({ instance, event, index }: Sample): Buffer {
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
