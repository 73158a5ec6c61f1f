// What Pulsar's WebSocket gives a consumer, as far as it is of use, and where a message stands. A message id is base64 of
// MessageIdData (https://github.com/apache/pulsar/blob/master/pulsar-common/src/main/proto/PulsarApi.proto).

/** One record as it came. */
export interface Message {
  /** As it came; what is acknowledged. */
  readonly id: string;
  /** In its partition, or null where its id has none that is its alone: its producer put several into one entry. */
  readonly position: number | null;
  /** The entry, numbered like a position, that it is the last record of; null = more of its entry follow. */
  readonly ends: number | null;
  readonly value: Buffer;
  /** When the edge took it, else when Pulsar did. */
  readonly atMs: number;
}

/** Null: it is none of a message. */
export function messageOf(frame: Readonly<Record<string, unknown>>): Message | null {
  const { messageId, payload, properties, publishTime } = frame;
  if (typeof messageId !== 'string') return null;
  const value = Buffer.from(typeof payload === 'string' ? payload : '', 'base64');
  const place = readId(messageId);
  const ends = place.batchIndex < place.batchSize - 1 ? null : positionOfPlace(place);
  return { id: messageId, position: alone(place), ends, value, atMs: timeOf(properties, publishTime) };
}

function timeOf(properties: unknown, publishTime: unknown): number {
  const said = Number((properties as Record<string, unknown> | null | undefined)?.received_at_ms ?? Number.NaN);
  if (Number.isSafeInteger(said) && said > 0) return said;
  const published = Date.parse(String(publishTime));
  return Number.isNaN(published) ? Date.now() : published;
}

/** A ledger holds fewer entries than this (managedLedgerMaxEntriesPerLedger is 50 000 unless an operator says otherwise). */
const entriesMax = 2 ** 20;
const ledgersMax = 2 ** 33;

/** Ledgers are numbered through a cluster and never again: ledger and entry are one number, in the order of the log. */
export const positionOf = (messageId: string): number | null => alone(readId(messageId));

const alone = (place: MessageId): number | null => {
  const { ledgerId, entryId, batchIndex } = place;
  return batchIndex >= 0 || !(ledgerId < ledgersMax && entryId < entriesMax) ? null : positionOfPlace(place);
};

export const placeOf = (position: number): { readonly ledgerId: number; readonly entryId: number } => ({
  ledgerId: Math.floor(position / entriesMax),
  entryId: position % entriesMax,
});

export const positionOfPlace = ({
  ledgerId,
  entryId,
}: {
  readonly ledgerId: number;
  readonly entryId: number;
}): number => ledgerId * entriesMax + entryId;

/** What a reader has to be told to begin at that record: the id in front of it. */
export const idBefore = ({ ledgerId, entryId }: { readonly ledgerId: number; readonly entryId: number }): string =>
  Buffer.from([8, ...varint(BigInt(ledgerId)), 16, ...varint(BigInt(entryId) - 1n)]).toString('base64');

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

interface MessageId {
  readonly ledgerId: number;
  readonly entryId: number;
  /** −1 = it is alone in its entry. */
  readonly batchIndex: number;
  readonly batchSize: number;
}

/** Fields 1, 2, 4 and 6 of the message, all of them varints; what is not there is NaN, −1 for the batch index, 0 for its size. */
function readId(messageId: string): MessageId {
  const bytes = Buffer.from(messageId, 'base64');
  const fields = [Number.NaN, Number.NaN, Number.NaN, -1, -1, 0, 0];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++]!;
    if ((tag & 7) !== 0) break; // what follows is none of ours
    let value = 0;
    let scale = 1;
    while (at < bytes.length && bytes[at]! >= 128) {
      value += (bytes[at++]! & 127) * scale;
      scale *= 128;
    }
    value += (bytes[at++] ?? 0) * scale;
    // A negative number is written as one of 64 bits.
    fields[tag >> 3] = value >= 2 ** 63 ? -1 : value;
  }
  return { ledgerId: fields[1]!, entryId: fields[2]!, batchIndex: fields[4]!, batchSize: fields[6]! };
}
