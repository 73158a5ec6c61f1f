// The Metadata request and its answer: https://kafka.apache.org/protocol#The_Messages_Metadata. Version 10, which every
// broker from 2.8 on speaks, tells a topic's id, and so whether it is still the log it was; older ones are asked in
// version 7 and tell none. Not kafkajs', which knows no ids, and fails the whole answer for one topic that is not there
// or for one partition without a leader. Here each topic has its own code, and such a partition the leader -1.

import { writeText } from '../read/fetch.ts';
import { type Broker, type Metadata, type PartitionMetadata, sendBytes, type TopicMetadata } from './driver.ts';

const metadataKey = 3;
const withIds = 10;
const withoutIds = 7;

/** Rejects with what kafkajs throws, and with what cannot be read. */
export async function askMetadata(broker: Broker, topics: readonly string[]): Promise<Metadata> {
  const connection = await broker.connectionPool.getConnection(0);
  await connection.authenticate();
  // Of a connection that is just being made they may not be known yet, and a topic would lose its id for that.
  const versions = broker.versions ?? (await broker.apiVersions());
  const speaksIds = (versions[metadataKey]?.maxVersion ?? 0) >= withIds;
  const apiVersion = speaksIds ? withIds : withoutIds;
  const answer = await sendBytes(connection, { apiKey: metadataKey, apiVersion, apiName: 'Metadata' }, id =>
    writeMetadata(apiVersion, { correlationId: id, clientId: connection.clientId }, topics),
  );
  return readMetadata(apiVersion, answer);
}

export function writeMetadata(
  apiVersion: number,
  { correlationId, clientId }: { readonly correlationId: number; readonly clientId: string },
  topics: readonly string[],
): Buffer {
  const isFlexible = apiVersion >= 9;
  const buffer = Buffer.allocUnsafe(
    topics.reduce((sum, { length }) => sum + 24 + length * 3, 64 + clientId.length * 3),
  );
  let at = buffer.writeInt16BE(metadataKey, 4);
  at = buffer.writeInt16BE(apiVersion, at);
  at = buffer.writeInt32BE(correlationId, at);
  at = writeText(buffer, at, clientId);
  if (isFlexible) at = buffer.writeUInt8(0, at); // no tags behind the head
  at = isFlexible ? writeUvarint(buffer, at, topics.length + 1) : buffer.writeInt32BE(topics.length, at);
  for (const topic of topics) {
    if (isFlexible) {
      buffer.fill(0, at, at + 16); // asked for by its name
      at = writeUvarint(buffer, at + 16, Buffer.byteLength(topic) + 1);
      at += buffer.write(topic, at);
      at = buffer.writeUInt8(0, at);
    } else at = writeText(buffer, at, topic);
  }
  at = buffer.writeUInt8(0, at); // creates nothing
  if (isFlexible) at = buffer.writeUInt16BE(0, at); // may whom is not asked
  if (isFlexible) at = buffer.writeUInt8(0, at);
  buffer.writeInt32BE(at - 4, 0);
  return buffer.subarray(0, at);
}

export function readMetadata(apiVersion: number, bytes: Buffer): Metadata {
  const read = apiVersion >= 9 ? flexible(bytes) : classic(bytes);
  read.tags();
  read.int32(); // throttled for
  const brokers = read.array(() => {
    const broker = { nodeId: read.int32(), host: read.text() ?? '', port: read.int32(), rack: read.text() };
    read.tags();
    return broker;
  });
  const clusterId = read.text();
  const controllerId = read.int32();
  const topicMetadata = read.array((): TopicMetadata => {
    const code = read.int16();
    const topic = read.text() ?? '';
    const topicId = apiVersion >= withIds ? read.uuid() : null;
    read.int8(); // is internal
    const partitionMetadata = read.array(() => readPartition(read));
    if (apiVersion >= 8) read.int32(); // may whom
    read.tags();
    return { code, topic, topicId, partitionMetadata };
  });
  return { brokers, clusterId, controllerId, topicMetadata };
}

/** A broker may name a leader that it says cannot be reached. */
const unled = new Set([5, 72]); // LEADER_NOT_AVAILABLE, LISTENER_NOT_FOUND

function readPartition(read: Reading): PartitionMetadata {
  const code = read.int16();
  const partitionId = read.int32();
  const leader = read.int32();
  const leaderEpoch = read.int32();
  const replicas = read.array(read.int32).length;
  const inSync = read.array(read.int32).length;
  read.array(read.int32); // those offline
  read.tags();
  return { partitionId, leader: unled.has(code) ? -1 : leader, leaderEpoch, replicas, inSync };
}

interface Reading {
  int8(): number;
  int16(): number;
  int32(): number;
  text(): string | null;
  /** Null when all its bytes are 0. */
  uuid(): string | null;
  array<T>(one: () => T): T[];
  tags(): void;
}

function reading(
  bytes: Buffer,
  sizes: { text(): number; array(): number; tags(): void },
  at: { now: number },
): Reading {
  const take = (size: number): number => {
    at.now += size;
    return at.now - size;
  };
  return {
    int8: () => bytes.readInt8(take(1)),
    int16: () => bytes.readInt16BE(take(2)),
    int32: () => bytes.readInt32BE(take(4)),
    text() {
      const length = sizes.text();
      return length < 0 ? null : bytes.toString('utf8', take(length), at.now);
    },
    uuid() {
      const id = bytes.subarray(take(16), at.now);
      return id.every(byte => byte === 0) ? null : id.toString('base64url');
    },
    array: one => Array.from({ length: Math.max(sizes.array(), 0) }, one),
    tags: sizes.tags,
  };
}

function classic(bytes: Buffer): Reading {
  const at = { now: 0 };
  const size = (length: 2 | 4) => (): number => {
    at.now += length;
    return bytes.readIntBE(at.now - length, length);
  };
  return reading(bytes, { text: size(2), array: size(4), tags: () => {} }, at);
}

/** Sizes are one more than they are, 0 = null; tagged fields stand behind everything. */
function flexible(bytes: Buffer): Reading {
  const at = { now: 0 };
  const uvarint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes.readUInt8(at.now++);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const size = (): number => uvarint() - 1;
  const tags = (): void => {
    for (let left = uvarint(); left > 0; left--) {
      uvarint(); // which
      const length = uvarint();
      at.now += length;
    }
  };
  return reading(bytes, { text: size, array: size, tags }, at);
}

function writeUvarint(buffer: Buffer, at: number, value: number): number {
  let end = at;
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) end = buffer.writeUInt8((rest % 128) | 128, end);
  return buffer.writeUInt8(rest, end);
}
