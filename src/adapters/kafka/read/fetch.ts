// The Fetch request, version 10, and its answer: https://kafka.apache.org/protocol#The_Messages_Fetch. Version 10 is the
// first that may bring zstd, and every broker from 2.1 to 4 speaks it. Read committed, without a fetch session. The
// records are not looked at here: they stay bytes of the answer, for scan.ts.

export const fetchApi = { apiKey: 1, apiVersion: 10, apiName: 'Fetch' } as const;

export interface WantedPartition {
  readonly topic: string;
  readonly partition: number;
  /** Offset to read from. */
  readonly next: number;
  /**
   * Of the leader; another one refuses, rather than answer from a log that may have been cut. -1 = whichever broker
   * leads.
   */
  readonly underEpoch?: number;
}

export interface FetchHead {
  readonly correlationId: number;
  readonly clientId: string;
  /** How long the broker waits for a first byte. */
  readonly waitMsMax: number;
  /** Of the answer. A first record batch comes whole even if it is larger. */
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
}

export function writeFetch(head: FetchHead, wanted: readonly WantedPartition[]): Buffer {
  const size = wanted.reduce((sum, { topic }) => sum + 34 + topic.length * 3, 64 + head.clientId.length * 3);
  const buffer = Buffer.allocUnsafe(size);
  let at = buffer.writeInt16BE(fetchApi.apiKey, 4);
  at = buffer.writeInt16BE(fetchApi.apiVersion, at);
  at = buffer.writeInt32BE(head.correlationId, at);
  at = writeText(buffer, at, head.clientId);
  at = buffer.writeInt32BE(-1, at); // a consumer, no replica
  at = buffer.writeInt32BE(head.waitMsMax, at);
  at = buffer.writeInt32BE(1, at); // bytes at least
  at = buffer.writeInt32BE(head.bytesMax, at);
  at = buffer.writeInt8(1, at); // read committed
  at = buffer.writeInt32BE(0, at); // no session
  at = buffer.writeInt32BE(-1, at);
  // One entry a partition, in the order given, as the broker fills the answer in that order: topics may repeat.
  at = buffer.writeInt32BE(wanted.length, at);
  for (const { topic, partition, next, underEpoch = -1 } of wanted) {
    at = writeText(buffer, at, topic);
    at = buffer.writeInt32BE(1, at);
    at = buffer.writeInt32BE(partition, at);
    at = buffer.writeInt32BE(underEpoch, at);
    at = buffer.writeBigInt64BE(BigInt(next), at);
    at = buffer.writeBigInt64BE(-1n, at); // log start: a replica's business
    at = buffer.writeInt32BE(head.partitionBytesMax, at);
  }
  at = buffer.writeInt32BE(0, at); // nothing forgotten
  buffer.writeInt32BE(at - 4, 0);
  return buffer.subarray(0, at);
}

export interface AbortedTransaction {
  readonly producer: bigint;
  readonly first: number;
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  /** 0 = fine. */
  readonly code: number;
  readonly highWatermark: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Record batches, the last one possibly cut. */
  readonly records: Buffer;
}

export interface FetchAnswer {
  readonly throttleMs: number;
  readonly code: number;
  readonly partitions: readonly FetchedPartition[];
}

export function readFetched(bytes: Buffer): FetchAnswer {
  const partitions: FetchedPartition[] = [];
  let at = 14;
  for (let topics = bytes.readInt32BE(10); topics > 0; topics--) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length + 4;
    for (let left = bytes.readInt32BE(at - 4); left > 0; left--) {
      const aborted: AbortedTransaction[] = [];
      let end = at + 34;
      for (let count = bytes.readInt32BE(at + 30); count > 0; count--, end += 16)
        aborted.push({ producer: bytes.readBigInt64BE(end), first: Number(bytes.readBigInt64BE(end + 8)) });
      const size = Math.max(bytes.readInt32BE(end), 0);
      partitions.push({
        topic,
        partition: bytes.readInt32BE(at),
        code: bytes.readInt16BE(at + 4),
        highWatermark: Number(bytes.readBigInt64BE(at + 6)),
        aborted,
        records: bytes.subarray(end + 4, end + 4 + size),
      });
      at = end + 4 + size;
    }
  }
  return { throttleMs: bytes.readInt32BE(0), code: bytes.readInt16BE(4), partitions };
}

export function writeText(buffer: Buffer, at: number, text: string): number {
  const length = buffer.write(text, at + 2);
  buffer.writeInt16BE(length, at);
  return at + 2 + length;
}
