// A Kafka without a network, behind the seam src/adapters/kafka/connect/driver.ts describes: nodes that take the bytes
// of a produce request, as the adapter wrote them, and answer as a test says. What they took is read with kafkajs'
// decoder.

import type { Broker, Cluster, Connection, Metadata } from '../../src/adapters/kafka/connect/driver.ts';

interface Decoder {
  readonly offset: number;
  readInt16(): number;
  readInt32(): number;
  readString(): string | null;
  readBytes(): Buffer;
}
const DecoderOfKafkajs = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => Decoder;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: Decoder) => Promise<{
  readonly records: readonly { readonly key: Buffer | null; readonly value: Buffer; readonly timestamp: string }[];
}>;

/** One partition's records in one request. */
export interface SentPart {
  readonly topic: string;
  readonly partition: number;
  readonly values: readonly string[];
  readonly times: readonly number[];
}

/** The code for a partition, null = the answer leaves it out; or nothing and the connection stays silent. */
export type Answering = (asked: SentPart) => number | null | Promise<number | null>;

export interface FakeNode {
  /** Requests as they came. */
  readonly requests: SentPart[][];
  /** Requests without an answer. */
  readonly open: number;
  answering: Answering;
  /** What connecting fails with, if anything. */
  refuses: unknown;
  /** Ends the connection: what has no answer fails with this. */
  cut(error: unknown): void;
  /** Whether the adapter has given the connection up. */
  readonly isDropped: boolean;
}

export interface FakeKafka {
  readonly cluster: Cluster;
  node(id: number): FakeNode;
  /** Each topic asked for, in order. */
  readonly asked: string[];
  /** What the next questions about a topic are answered with: leaders by partition, or a failure. */
  topics: (topic: string) => readonly number[] | Promise<readonly number[]>;
  /** What is answered in place of it: topics as they come, whatever was asked. */
  answers: ((topic: string) => Metadata['topicMetadata']) | null;
}

export async function readRequest(bytes: Buffer): Promise<{ readonly clientId: string; readonly parts: SentPart[] }> {
  if (bytes.readInt32BE(0) !== bytes.length - 4) throw new Error('the size in front is wrong');
  const decoder = new DecoderOfKafkajs(bytes.subarray(4));
  if (decoder.readInt16() !== 0 || decoder.readInt16() !== 7) throw new Error('not Produce, version 7');
  decoder.readInt32(); // correlation id
  const clientId = decoder.readString()!;
  if (decoder.readString() !== null) throw new Error('a transaction');
  if (decoder.readInt16() !== -1) throw new Error('not acked by all replicas');
  decoder.readInt32(); // timeout
  const parts: SentPart[] = [];
  for (let topics = decoder.readInt32(); topics > 0; topics--) {
    const topic = decoder.readString()!;
    for (let partitions = decoder.readInt32(); partitions > 0; partitions--) {
      const partition = decoder.readInt32();
      const { records } = await decodeBatch(new DecoderOfKafkajs(decoder.readBytes()));
      const values = records.map(({ value }) => value.toString());
      parts.push({ topic, partition, values, times: records.map(({ timestamp }) => Number(timestamp)) });
    }
  }
  return { clientId, parts };
}

/** The answer's body, as a broker writes it. */
export function answerOf(
  parts: readonly { readonly topic: string; readonly partition: number; readonly code: number }[],
) {
  const bytes: Buffer[] = [];
  const int = (value: number, size: 2 | 4) => {
    const buffer = Buffer.alloc(size);
    buffer.writeIntBE(value, 0, size);
    bytes.push(buffer);
  };
  int(parts.length, 4);
  for (const { topic, partition, code } of parts) {
    int(Buffer.byteLength(topic), 2);
    bytes.push(Buffer.from(topic));
    int(1, 4);
    int(partition, 4);
    int(code, 2);
    bytes.push(Buffer.alloc(24));
  }
  int(0, 4); // throttled for
  return Buffer.concat(bytes);
}

function fakeNode(): FakeNode & { readonly broker: Broker } {
  const waiting = new Set<(error: unknown) => void>();
  let socket: Connection['socket'] = null;
  let bytes: Buffer = Buffer.alloc(0);
  let isDropped = false;
  const connect = () => {
    socket = {
      write: sent => {
        bytes = Buffer.from(sent.buffer, sent.byteOffset, sent.length); // as a socket: not a copy
        return true;
      },
      destroy: () => {
        isDropped = true;
      },
      removeAllListeners: () => {},
      on: () => {},
    };
    connection.connectionStatus = 'connected';
  };
  const rejectAll = (error: unknown) => {
    for (const reject of [...waiting]) reject(error);
    waiting.clear();
  };
  const connection: Connection = {
    clientId: 'fake',
    get socket() {
      return socket;
    },
    connectionStatus: 'disconnected',
    authenticatedAt: null,
    isConnected: () => connection.connectionStatus === 'connected',
    authenticate: async () => {},
    nextCorrelationId: () => node.requests.length,
    rejectRequests: rejectAll,
    requestQueue: {
      destroy: () => {},
      push: ({ entry, sendRequest }) => {
        sendRequest();
        const held = bytes;
        const sent = Buffer.from(held);
        waiting.add(entry.reject);
        void (async () => {
          const { parts } = await readRequest(sent);
          node.requests.push(parts);
          const codes = await Promise.all(parts.map(part => node.answering(part)));
          if (!held.equals(sent)) throw new Error('the bytes of a request were overwritten before its answer');
          if (!waiting.delete(entry.reject)) return;
          const answered = parts.flatMap((part, at) => (codes[at] === null ? [] : [{ ...part, code: codes[at]! }]));
          entry.resolve({ payload: answerOf(answered) });
        })().catch(error => {
          waiting.delete(entry.reject);
          entry.reject(error);
        });
      },
    },
  };
  const node: FakeNode & { readonly broker: Broker } = {
    requests: [],
    answering: () => 0,
    refuses: null,
    get open() {
      return waiting.size;
    },
    get isDropped() {
      return isDropped;
    },
    cut: rejectAll,
    broker: {
      brokerAddress: 'fake:9092',
      connectionPool: {
        pool: [connection],
        getConnection: async () => {
          if (node.refuses !== null) throw node.refuses;
          if (connection.connectionStatus !== 'connected') connect();
          return connection;
        },
      },
      apiVersions: async () => ({}),
    },
  };
  return node;
}

export function fakeKafka(): FakeKafka {
  const nodes = new Map<number, ReturnType<typeof fakeNode>>();
  const nodeOf = (id: number) => nodes.get(id) ?? nodes.set(id, fakeNode()).get(id)!;
  let metadata: Cluster['brokerPool']['metadata'] = null;
  const fake: FakeKafka = {
    node: nodeOf,
    asked: [],
    topics: () => [1],
    answers: null,
    // What a lane and topics use of it.
    cluster: {
      brokerPool: {
        get brokers() {
          return Object.fromEntries([...nodes].map(([id, { broker }]) => [id, broker]));
        },
        seedBroker: undefined,
        get metadata() {
          return metadata;
        },
        refreshMetadata: async ([topic]: readonly string[]) => {
          fake.asked.push(topic!);
          if (fake.answers !== null) {
            metadata = { brokers: [], clusterId: null, controllerId: 1, topicMetadata: fake.answers(topic!) };
            return;
          }
          const leaders = await fake.topics(topic!);
          // Kafka lists partitions in no order.
          const partitionMetadata = leaders.map((leader, partitionId) => ({ partitionId, leader })).reverse();
          const known = { topic: topic!, topicId: null, code: 0, partitionMetadata };
          metadata = { brokers: [], clusterId: null, controllerId: 1, topicMetadata: [known] };
        },
        findBroker: async ({ nodeId }: { readonly nodeId: number }) => nodeOf(nodeId).broker,
      },
    } as unknown as Cluster,
  };
  return fake;
}
