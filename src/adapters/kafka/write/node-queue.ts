// What goes to one broker. Records wait by partition; a request takes what waits, up to a size.
// - nothing under way: a request leaves at the end of this turn, with whatever came in it
// - something under way: it waits for a full request, the linger, or the answer; never more than inFlightMax at once
// - a request that fails as a whole takes what waits down with it: it was not sent, which is certain, and the caller has
//   a disk. So no record waits longer than connecting and one request may take.
// - a batch refused for one of its records is sent again in halves, until each record has an answer of its own
// - a batch refused for a time in it is sent again without times: a clock that is wrong, here or there, is no fault of
//   the events, which say in their bodies when they were received
// - a buffer is used again only after its answer: until then the socket may still hold it

import type { PipelineError } from '../../../errors.ts';
import { type Cluster, dropConnection, dropHung, sendBytes } from '../connect/driver.ts';
import { errorOfCode, errorOfKafka, isForOneRecord, isForStaleMetadata, isForTime } from '../connect/error.ts';
import type { Topics } from '../connect/topics.ts';
import { type Part, produceApi, readAnswer, requestBytesMax, writeRequest } from './produce.ts';
import { type Compression, type NewRecord, noTimeMs, recordBytesMax } from './record-batch.ts';

/** A record and the call that waits for it. */
export interface QueuedRecord extends NewRecord {
  readonly call: Call;
  /** Its place among the records of the call. */
  readonly index: number;
}

/** The caller that gave some records. One for all of them: at a hundred thousand records a second each closure counts. */
export interface Call {
  /** Once for each record; null = stored. */
  settle(record: QueuedRecord, error: PipelineError | null): void;
}

export interface NodeQueueOptions {
  readonly cluster: Cluster;
  readonly topics: Topics;
  readonly clientId: string;
  readonly compression: Compression;
  readonly node: number;
  readonly requestTimeoutMs: number;
  readonly lingerMs: number;
  readonly requestBytesMax: number;
  readonly requestRecordsMax: number;
  readonly inFlightMax: number;
}

export interface NodeQueue {
  add(topic: string, partition: number, record: QueuedRecord): void;
  /** Lets nothing wait for company any more. */
  hurry(): void;
}

interface PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  records: QueuedRecord[];
  isQueued: boolean;
}

export function nodeQueue(options: NodeQueueOptions): NodeQueue {
  const { cluster, topics, node, clientId, compression } = options;
  const byTopic = new Map<string, PartitionQueue[]>();
  let queues: PartitionQueue[] = [];
  /** To be sent again: in halves, or without times. */
  let again: Part<QueuedRecord>[] = [];
  let count = 0;
  let bytes = 0;
  let inFlight = 0;
  let lingerMs = options.lingerMs;
  let timer: Timer | undefined;
  let isDue = false;
  const free: Buffer[] = [];
  const bufferBytes = options.requestBytesMax + 65_536;

  function add(topic: string, partition: number, record: QueuedRecord): void {
    let ofTopic = byTopic.get(topic);
    if (ofTopic === undefined) {
      ofTopic = [];
      byTopic.set(topic, ofTopic);
    }
    ofTopic[partition] ??= { topic, partition, records: [], isQueued: false };
    const queue = ofTopic[partition];
    if (!queue.isQueued) queues.push(queue);
    queue.isQueued = true;
    queue.records.push(record);
    count++;
    bytes += recordBytesMax(record);
    schedule();
  }

  function schedule(): void {
    if (inFlight >= options.inFlightMax || (count === 0 && again.length === 0)) return;
    const isFull = count >= options.requestRecordsMax || bytes >= options.requestBytesMax;
    if (isFull || again.length > 0) {
      void send();
      return;
    }
    if (isDue) return;
    if (inFlight === 0) {
      isDue = true;
      clearTimeout(timer);
      timer = undefined;
      setImmediate(flush);
    } else timer ??= setTimeout(flush, lingerMs);
  }

  function flush(): void {
    isDue = false;
    timer = undefined;
    if (inFlight < options.inFlightMax && count > 0) void send();
  }

  async function send(): Promise<void> {
    inFlight++;
    const parts = take();
    const size = requestBytesMax(clientId, parts);
    const buffer = size <= bufferBytes ? (free.pop() ?? Buffer.allocUnsafeSlow(bufferBytes)) : Buffer.allocUnsafe(size);
    let address = `broker ${node}`;
    let isSent = false;
    let drop = () => {};
    try {
      // Not cluster.findBroker, which asks for the metadata of every topic when it cannot connect.
      const broker = await cluster.brokerPool.findBroker({ nodeId: node });
      address = broker.brokerAddress;
      const connection = await broker.connectionPool.getConnection(0);
      const { socket } = connection;
      // Its other requests fail with it, and by then there may be a new connection, which is none of their business.
      drop = () => {
        if (connection.socket === socket) dropConnection(connection, new Error('the connection was given up'));
      };
      const answer = await sendBytes(connection, produceApi, correlationId => {
        isSent = true;
        return writeRequest(
          buffer,
          { correlationId, clientId, ackTimeoutMs: options.requestTimeoutMs, compression },
          parts,
        );
      });
      if (buffer.length === bufferBytes) free.push(buffer);
      settle(parts, answer);
    } catch (error) {
      if (isSent) drop();
      else dropHung(cluster, error);
      fail(parts, error, { address, isSent });
    }
    inFlight--;
    schedule();
  }

  /** The next request: what goes again, or what waits, each partition in turn. */
  function take(): readonly Part<QueuedRecord>[] {
    const repeated = again.shift();
    if (repeated !== undefined) return [repeated];
    const parts: Part<QueuedRecord>[] = [];
    let room = options.requestBytesMax;
    let places = options.requestRecordsMax;
    const left: PartitionQueue[] = [];
    for (const queue of queues) {
      const taken = fitting(queue.records, { room, places, isFirst: parts.length === 0 });
      if (taken.count > 0) {
        const all = queue.records;
        parts.push({ ...queue, records: taken.count === all.length ? all : all.slice(0, taken.count) });
        queue.records = taken.count === all.length ? [] : all.slice(taken.count);
        room -= taken.bytes;
        places -= taken.count;
      }
      queue.isQueued = queue.records.length > 0;
      if (queue.isQueued) left.push(queue);
    }
    // A partition that had to stay behind is first the next time.
    queues = left;
    count -= options.requestRecordsMax - places;
    bytes -= options.requestBytesMax - room;
    return parts;
  }

  function settle(parts: readonly Part<QueuedRecord>[], answer: Buffer): void {
    const answers = readAnswer(answer);
    for (const part of parts) {
      const code = answers.find(({ topic, partition }) => topic === part.topic && partition === part.partition)?.code;
      if (code === 0) {
        for (const record of part.records) record.call.settle(record, null);
        continue;
      }
      if (code !== undefined && isForOneRecord(code) && part.records.length > 1) {
        const middle = part.records.length >> 1;
        again.push({ ...part, records: part.records.slice(0, middle) });
        again.push({ ...part, records: part.records.slice(middle) });
        continue;
      }
      if (code !== undefined && isForTime(code) && part.records.some(hasTime)) {
        again.push({ ...part, records: part.records.map(record => ({ ...record, timestampMs: noTimeMs })) });
        continue;
      }
      if (code !== undefined && isForStaleMetadata(code)) topics.doubt(part.topic);
      const error = errorOfCode(code ?? -1, part.topic);
      for (const record of part.records) record.call.settle(record, error);
    }
  }

  function fail(
    parts: readonly Part<QueuedRecord>[],
    thrown: unknown,
    { address, isSent }: { readonly address: string; readonly isSent: boolean },
  ): void {
    topics.doubtLeader(node);
    const error = errorOfKafka(thrown, isSent ? 'sent' : 'before sending', address);
    for (const { records } of parts) for (const record of records) record.call.settle(record, error);
    const notSent = errorOfKafka(thrown, 'before sending', address);
    const waiting = [...again.flatMap(({ records }) => records), ...queues.flatMap(({ records }) => records)];
    for (const queue of queues) {
      queue.records = [];
      queue.isQueued = false;
    }
    again = [];
    queues = [];
    count = 0;
    bytes = 0;
    for (const record of waiting) record.call.settle(record, notSent);
  }

  return {
    add,
    hurry() {
      lingerMs = 0;
      flush();
    },
  };
}

const hasTime = ({ timestampMs }: NewRecord): boolean => timestampMs !== noTimeMs;

function fitting(
  records: readonly NewRecord[],
  { room, places, isFirst }: { readonly room: number; readonly places: number; readonly isFirst: boolean },
): { readonly count: number; readonly bytes: number } {
  let bytes = 0;
  let count = 0;
  for (; count < records.length && count < places; count++) {
    const size = recordBytesMax(records[count]!);
    // What is larger than a request may be goes alone.
    if (bytes + size > room && !(isFirst && count === 0)) break;
    bytes += size;
  }
  return { count, bytes };
}
