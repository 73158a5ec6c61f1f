// Where a partition is read from when it has just become ours: its committed offset, else the starting point, else the
// earliest there is. The one place that decides it.

import { PipelineError } from '../../../errors.ts';
import type { StartingPoint } from '../../../ports/transport.ts';
import { type Cluster, type OffsetAnswers, sendBytes } from '../connect/driver.ts';
import { errorOfReading, unled } from '../connect/error.ts';
import { isSameLog, type LogIdentity, readMark } from '../connect/identity.ts';
import type { Topics } from '../connect/topics.ts';
import { keyOf, type TopicPartition } from './assign.ts';
import { writeText } from './fetch.ts';
import type { Session } from './group.ts';

/** What a leader takes for a time. */
const earliest = -2;
const latest = -1;

export interface Beginning {
  readonly next: number;
  /** What is committed is a position of another log: the topic was made anew while no process looked. */
  readonly isReplaced: boolean;
}

/** Where a partition that has just become ours begins in the log its topic is now. Rejects as earliestOf does. */
export async function beginIn(
  { cluster, topics, from }: Asking,
  owned: TopicPartition & { readonly isReplaced: boolean },
  { committed, log }: { readonly committed: Committed | null; readonly log: LogIdentity },
): Promise<Beginning> {
  if (committed === null && !owned.isReplaced)
    return { next: await beginningOf(cluster, topics, owned, from), isReplaced: false };
  // One that does not say of which log it is, is an older ugc's: taken for one of this log, once.
  const isOurs = committed?.log == null ? !owned.isReplaced : isSameLog(committed.log, log);
  if (committed !== null && isOurs) {
    const end = await endOfEpoch({ cluster, topics, from }, owned, committed.epoch);
    return { next: Math.min(committed.offset, end), isReplaced: false };
  }
  // A starting point was one of the log before.
  return { next: await earliestOf(cluster, topics, owned), isReplaced: !owned.isReplaced };
}

export interface Asking {
  readonly cluster: Cluster;
  readonly topics: Topics;
  readonly from: StartingPoint | null;
}

/** Without a starting point the earliest offset. Rejects as earliestOf does. */
export async function beginningOf(
  cluster: Cluster,
  topics: Topics,
  place: TopicPartition,
  from: StartingPoint | null,
): Promise<number> {
  const at = (time: number): Promise<number> => offsetAt(cluster, topics, place, time);
  if (from === null) return at(earliest);
  const wanted = 'atMs' in from ? await at(Math.max(0, from.atMs)) : (from.offsets.get(keyOf(place)) ?? -1);
  const end = await at(latest);
  // A leader answers -1 to a time after its last record.
  return wanted < 0 ? end : Math.max(await at(earliest), Math.min(wanted, end));
}

export interface Committed {
  readonly offset: number;
  /** Null = the process that committed it did not say. */
  readonly log: LogIdentity | null;
  /** Of the leader its records are from; -1 = not said. */
  readonly epoch: number;
}

/**
 * What is committed for these partitions of one topic, by partition; null = nothing. Rejects with what kafkajs throws,
 * and where the coordinator says nothing of one: taken for uncommitted it would begin somewhere else.
 */
export async function committedOf(
  session: Session,
  topic: string,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Committed | null>> {
  const { responses } = await session.coordinator.offsetFetch({
    groupId: session.groupId,
    topics: [{ topic, partitions: partitions.map(partition => ({ partition })) }],
  });
  const said = responses.filter(response => response.topic === topic).flatMap(response => response.partitions);
  return new Map(
    partitions.map(partition => {
      const found = said.find(each => each.partition === partition);
      if (found === undefined)
        throw new PipelineError('log_unavailable', `${keyOf({ topic, partition })}: the coordinator says no position`);
      const offset = Number(found.offset);
      const mark = readMark(found.metadata ?? '');
      return [partition, offset < 0 ? null : { offset, log: mark?.log ?? null, epoch: mark?.epoch ?? -1 }];
    }),
  );
}

// OffsetForLeaderEpoch, version 2: https://kafka.apache.org/protocol#The_Messages_OffsetForLeaderEpoch (KIP-320).
const epochApi = { apiKey: 23, apiVersion: 2, apiName: 'OffsetForLeaderEpoch' } as const;

/**
 * Up to where the log has what leaders up to this epoch have written. A log that was cut, since a leader was elected
 * that had less of it, and has grown again ends for them before a position behind what was cut. Infinity where no
 * broker knows.
 */
export async function endOfEpoch({ cluster, topics }: Asking, place: TopicPartition, epoch: number): Promise<number> {
  if (epoch < 0) return Number.POSITIVE_INFINITY;
  const nodeId = (topics.known(place.topic) ?? (await topics.load(place.topic))).leaders[place.partition] ?? -1;
  if (nodeId < 0) throw unled(place);
  const broker = await cluster.brokerPool.findBroker({ nodeId });
  const connection = await broker.connectionPool.getConnection(0);
  await connection.authenticate();
  const answer = await sendBytes(connection, epochApi, id => writeEpochs(id, connection.clientId, { ...place, epoch }));
  const size = answer.readInt32BE(4) === 1 ? answer.readInt16BE(8) : 0;
  const at = 10 + size;
  const isAnswer =
    size > 0 && answer.toString('utf8', 10, at) === place.topic && answer.readInt32BE(at + 6) === place.partition;
  if (!isAnswer) throw new PipelineError('log_unavailable', `${keyOf(place)}: the leader does not say its epochs`);
  const code = answer.readInt16BE(at + 4);
  if (code !== 0) throw errorOfReading(code, keyOf(place)).error;
  const end = Number(answer.readBigInt64BE(at + 14));
  return end < 0 ? Number.POSITIVE_INFINITY : end;
}

function writeEpochs(
  correlationId: number,
  clientId: string,
  asked: TopicPartition & { readonly epoch: number },
): Buffer {
  const buffer = Buffer.allocUnsafe(64 + (clientId.length + asked.topic.length) * 3);
  let at = buffer.writeInt16BE(epochApi.apiKey, 4);
  at = buffer.writeInt16BE(epochApi.apiVersion, at);
  at = buffer.writeInt32BE(correlationId, at);
  at = writeText(buffer, at, clientId);
  at = buffer.writeInt32BE(1, at);
  at = writeText(buffer, at, asked.topic);
  at = buffer.writeInt32BE(1, at);
  at = buffer.writeInt32BE(asked.partition, at);
  at = buffer.writeInt32BE(-1, at); // whichever broker leads now
  at = buffer.writeInt32BE(asked.epoch, at);
  buffer.writeInt32BE(at - 4, 0);
  return buffer.subarray(0, at);
}

/** The earliest offset a partition still has. Rejects with what kafkajs throws, and when no broker leads it. */
export const earliestOf = (cluster: Cluster, topics: Topics, place: TopicPartition): Promise<number> =>
  offsetAt(cluster, topics, place, earliest);

/** The offset behind the last record that can be read. Rejects as earliestOf does. */
export const endOf = (cluster: Cluster, topics: Topics, place: TopicPartition): Promise<number> =>
  offsetAt(cluster, topics, place, latest);

/** Of the first record of that time (epoch milliseconds) or later, -1 when there is none. Rejects as earliestOf does. */
export async function offsetAt(
  cluster: Cluster,
  topics: Topics,
  place: TopicPartition,
  timestamp: number,
): Promise<number> {
  const { topic, partition } = place;
  const { leaders } = topics.known(topic) ?? (await topics.load(topic));
  const nodeId = leaders[partition] ?? -1;
  if (nodeId < 0) throw unled(place);
  const broker = await cluster.brokerPool.findBroker({ nodeId });
  const answer = await broker.listOffsets({
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ topic, partitions: [{ partition, timestamp }] }],
  });
  return offsetIn(answer, place);
}

/** Rejects, in words, where the answer says nothing of the partition. */
export function offsetIn({ responses }: OffsetAnswers, place: TopicPartition): number {
  const found = responses
    .filter(({ topic }) => topic === place.topic)
    .flatMap(({ partitions }) => partitions)
    .find(({ partition }) => partition === place.partition);
  if (found !== undefined) return Number(found.offset);
  throw new PipelineError('log_unavailable', `${keyOf(place)}: the leader does not say its offsets`);
}
