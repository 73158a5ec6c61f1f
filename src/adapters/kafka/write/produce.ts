// The Produce request, version 7, and its answer: https://kafka.apache.org/protocol#The_Messages_Produce. Version 7 is
// the first that may carry zstd and every broker from 2.1 to 4 speaks it. The whole request, its size in front, is
// written into one buffer; nothing is copied on the way to the socket.

import { batchOverheadBytes, type Compression, type NewRecord, recordBytesMax, writeBatch } from './record-batch.ts';

export const produceApi = { apiKey: 0, apiVersion: 7, apiName: 'Produce' } as const;

/** The records of one partition in one request: one batch. */
export interface Part<R extends NewRecord = NewRecord> {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly R[];
}

export interface ProduceHead {
  readonly correlationId: number;
  readonly clientId: string;
  /** How long the broker waits for its replicas. */
  readonly ackTimeoutMs: number;
  readonly compression: Compression;
}

/** What writeRequest needs at most. */
export function requestBytesMax(clientId: string, parts: readonly Part[]): number {
  let bytes = 64 + clientId.length * 3;
  for (const { topic, records } of parts) {
    bytes += 32 + topic.length * 3 + batchOverheadBytes;
    for (const record of records) bytes += recordBytesMax(record);
  }
  return bytes;
}

/** Acked by all replicas in sync. Returns the part of the buffer that is the request. */
export function writeRequest(buffer: Buffer, head: ProduceHead, parts: readonly Part[]): Buffer {
  let at = buffer.writeInt16BE(produceApi.apiKey, 4);
  at = buffer.writeInt16BE(produceApi.apiVersion, at);
  at = buffer.writeInt32BE(head.correlationId, at);
  at = writeString(buffer, at, head.clientId);
  at = buffer.writeInt16BE(-1, at); // no transaction
  at = buffer.writeInt16BE(-1, at); // acks: all
  at = buffer.writeInt32BE(head.ackTimeoutMs, at);
  const byTopic = Map.groupBy(parts, ({ topic }) => topic);
  at = buffer.writeInt32BE(byTopic.size, at);
  for (const [topic, ofTopic] of byTopic) {
    at = writeString(buffer, at, topic);
    at = buffer.writeInt32BE(ofTopic.length, at);
    for (const { partition, records } of ofTopic) {
      at = buffer.writeInt32BE(partition, at);
      const end = writeBatch(buffer, at + 4, records, head.compression);
      buffer.writeInt32BE(end - at - 4, at);
      at = end;
    }
  }
  buffer.writeInt32BE(at - 4, 0);
  return buffer.subarray(0, at);
}

export interface PartAnswer {
  readonly topic: string;
  readonly partition: number;
  /** 0 = stored. */
  readonly code: number;
}

export function readAnswer(bytes: Buffer): PartAnswer[] {
  const answers: PartAnswer[] = [];
  let at = 4;
  for (let topics = bytes.readInt32BE(0); topics > 0; topics--) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length + 4;
    for (let partitions = bytes.readInt32BE(at - 4); partitions > 0; partitions--) {
      answers.push({ topic, partition: bytes.readInt32BE(at), code: bytes.readInt16BE(at + 4) });
      at += 30; // base offset, append time and first offset are of no use here
    }
  }
  return answers;
}

function writeString(buffer: Buffer, at: number, text: string): number {
  const length = buffer.write(text, at + 2);
  buffer.writeInt16BE(length, at);
  return at + 2 + length;
}
