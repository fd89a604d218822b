import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';

/**
 * Preset dictionary of DEFLATE (RFC 1951; zlib's "dictionary"): what most events say, the most frequent last.
 * Jobs are read by later versions, so a dictionary is never changed: a new one gets a new number.
 */
const DICTIONARY_1 = Buffer.from(
  [
    '"},"participants":[{"id":"@g.us","subject":"","subjectOwner":"","subjectTime":,"size":,"creation":,"owner":"',
    '"announce":false,"restrict":false,"isCommunity":false,"joinApprovalMode":false,"memberAddMode":false,"desc":"',
    '"imageMessage":{"url":"https://mmg.whatsapp.net/v/t62.7118-24/","mimetype":"image/jpeg","caption":"","fileSha256":{',
    '"fileLength":{"low":,"high":0,"unsigned":true},"height":,"width":,"mediaKey":{"fileEncSha256":{"directPath":"',
    '"mediaKeyTimestamp":{"low":,"high":0,"unsigned":false},"jpegThumbnail":{"0":255,"1":216,"2":255,"3":224,"4":0,',
    '"audioMessage":{"mimetype":"audio/ogg; codecs=opus","seconds":,"ptt":true,"waveform":{"videoMessage":{"documentMessage":{',
    '"qrcode":{"instance":"","pairingCode":null,"code":"2@","base64":"data:image/png;base64,iVBORw0KGgo',
    '"presences":{"@s.whatsapp.net":{"lastKnownPresence":"composing","lastSeen":}},"labelId":"","chatId":"',
    '{"event":"connection.update","data":{"instance":"","wuid":"","profileName":"","profilePictureUrl":"","state":"open","statusReason":200}',
    '{"event":"contacts.update","pushName":"","profilePicUrl":null,{"event":"chats.upsert","unreadMessages":0,"name":"',
    '{"event":"presence.update","instance":"{"event":"send.message","instance":"{"event":"messages.update","instance":"',
    '"keyId":"","status":"READ","DELIVERY_ACK","SERVER_ACK","PENDING","instanceId":"","messageId":"cm',
    '"messageContextInfo":{"deviceListMetadata":{"senderKeyHash":{"0":,"1":,"2":,"3":,"4":,"5":,"6":,"7":,"8":,"9":},',
    '"senderTimestamp":{"low":,"high":0,"unsigned":true},"recipientKeyHash":{"0":,"recipientTimestamp":{"low":',
    '"deviceListMetadataVersion":2,"messageSecret":{"0":,"1":,"10":,"11":,"12":,"13":,"14":,"15":,"16":,"17":,"18":',
    '"contextInfo":null,"contextInfo":{"expiration":0,"stanzaId":"","participant":"","quotedMessage":{"conversation":"',
    '{"event":"messages.upsert","instance":"","data":{"key":{"remoteJid":"55119@s.whatsapp.net","remoteJidAlt":"@lid",',
    '"fromMe":false,"fromMe":true,"id":"3EB0","participant":"","addressingMode":"pn"},"pushName":"","status":"DELIVERY_ACK",',
    '"message":{"conversation":"","messageType":"conversation","messageTimestamp":17,"instanceId":"-","source":"android"},',
    '"server_url":"https://","date_time":"2026-01-01T00:00:00.000Z","sender":"5511@s.whatsapp.net","apikey":null,"apikey":"',
  ].join(''),
);

/** Number stored beside each compressed body. */
export const COMPRESSION = 1;

/**
 * Higher levels gain nothing on events. For a small body most of the time goes into setting up and the buffer for
 * the result: 8 KB of window hold it and the dictionary.
 */
const OPTIONS = { dictionary: DICTIONARY_1, level: 5, memLevel: 7 };
const SMALL_OPTIONS = { ...OPTIONS, windowBits: 13, chunkSize: 1024 };
const SMALL_LIMIT = 4096;
/** Above this, compressing would hold up everything else in the process. */
const SYNC_LIMIT = 65_536;

const deflateAsync = promisify(deflateRaw);
const inflateAsync = promisify(inflateRaw);

/** Bodies and their texts that are kept, so that an event which many destinations fail to take is compressed once. */
const RECENT_BYTES = 8_388_608;

const recent = new LRUCache<Buffer, Promise<string>>({
  maxSize: RECENT_BYTES,
  // No text is longer than that.
  sizeCalculation: (_text, body) => 3 * body.length + 100,
});
/** Those that are too large to be kept are shared while they are being compressed. */
const underWay = new WeakMap<Buffer, Promise<string>>();

/** Compressed body, base64 for JSON. The body must not change afterwards. */
export function compress(body: Buffer): Promise<string> {
  const known = recent.get(body) ?? underWay.get(body);
  if (known !== undefined) return known;
  const text = compressed(body);
  recent.set(body, text);
  if (!recent.has(body)) {
    underWay.set(body, text);
    const forget = (): boolean => underWay.delete(body);
    text.then(forget, forget);
  }
  return text;
}

async function compressed(body: Buffer): Promise<string> {
  const bytes = body.length > SYNC_LIMIT ? await deflateAsync(body, OPTIONS) : deflateNow(body);
  return bytes.toString('base64');
}

function deflateNow(body: Buffer): Buffer {
  return deflateRawSync(body, body.length <= SMALL_LIMIT ? SMALL_OPTIONS : OPTIONS);
}

/** The body back, byte for byte. */
export async function decompress(text: string): Promise<Buffer> {
  const compressed = Buffer.from(text, 'base64');
  const options = { dictionary: DICTIONARY_1 };
  return compressed.length <= SYNC_LIMIT / 8
    ? inflateRawSync(compressed, options)
    : inflateAsync(compressed, options);
}
