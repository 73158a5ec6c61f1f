// Where a partition is read from when it has just become ours: its committed offset, else the starting point, else the
// earliest there is. The one place that decides it.

import { keyOf, type Place } from './assign.ts';
import type { Cluster, OffsetAnswers } from './driver.ts';
import type { Session } from './group.ts';
import type { Topics } from './topics.ts';

/** What a leader takes for a time. */
const earliest = -2;
const latest = -1;

/**
 * Where a group begins that has committed nothing: at the first record of that time or later, or at these offsets, by
 * `topic/partition`; a partition that is not named at its end.
 */
export type StartingPoint = { readonly atMs: number } | { readonly offsets: ReadonlyMap<string, number> };

/** Without a starting point the earliest offset. Rejects as earliestOf does. */
export async function beginningOf(
  cluster: Cluster,
  topics: Topics,
  place: Place,
  from: StartingPoint | null,
): Promise<number> {
  const at = (time: number): Promise<number> => offsetAt(cluster, topics, place, time);
  if (from === null) return at(earliest);
  const wanted = 'atMs' in from ? await at(Math.max(0, from.atMs)) : (from.offsets.get(keyOf(place)) ?? -1);
  const end = await at(latest);
  // A leader answers -1 to a time after its last record.
  return wanted < 0 ? end : Math.max(await at(earliest), Math.min(wanted, end));
}

/** The committed offsets of these partitions of one topic, by partition; without those that have none. Rejects with what kafkajs throws. */
export async function committedOf(session: Session, topic: string, partitions: readonly number[]) {
  const { responses } = await session.coordinator.offsetFetch({
    groupId: session.groupId,
    topics: [{ topic, partitions: partitions.map(partition => ({ partition })) }],
  });
  return new Map([...offsetsOf({ responses })].filter(([, offset]) => offset >= 0));
}

/** The earliest offset a partition still has. Rejects with what kafkajs throws, and when nobody leads it. */
export const earliestOf = (cluster: Cluster, topics: Topics, place: Place): Promise<number> =>
  offsetAt(cluster, topics, place, earliest);

/** The offset behind the last record that can be read. Rejects as earliestOf does. */
export const endOf = (cluster: Cluster, topics: Topics, place: Place): Promise<number> =>
  offsetAt(cluster, topics, place, latest);

/** Of the first record of that time (epoch milliseconds) or later, -1 when there is none. Rejects as earliestOf does. */
export async function offsetAt(cluster: Cluster, topics: Topics, place: Place, timestamp: number): Promise<number> {
  const { topic, partition } = place;
  const { leaders } = topics.known(topic) ?? (await topics.load(topic));
  const broker = await cluster.brokerPool.findBroker({ nodeId: leaders[partition] ?? -1 });
  const answer = await broker.listOffsets({
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ topic, partitions: [{ partition, timestamp }] }],
  });
  const offset = offsetsOf(answer).get(partition);
  if (offset === undefined) throw new Error(`${keyOf(place)}: the leader does not say its offsets`);
  return offset;
}

const offsetsOf = ({ responses }: OffsetAnswers): Map<number, number> =>
  new Map(
    responses.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])),
  );
