// Where a partition is read from when it has just become ours: its committed offset, else the earliest there is. The one
// place that decides it; reading again from a point in time or from given offsets would be decided here.

import { keyOf } from './assign.ts';
import type { Cluster, OffsetAnswers } from './driver.ts';
import type { Session } from './group.ts';
import type { Owned } from './partitions.ts';
import type { Topics } from './topics.ts';

const earliest = -2;

/** The committed offsets of these partitions of one topic, by partition; without those that have none. Rejects with what kafkajs throws. */
export async function committedOf(session: Session, topic: string, partitions: readonly number[]) {
  const { responses } = await session.coordinator.offsetFetch({
    groupId: session.groupId,
    topics: [{ topic, partitions: partitions.map(partition => ({ partition })) }],
  });
  return new Map([...offsetsOf({ responses })].filter(([, offset]) => offset >= 0));
}

/** The earliest offset a partition still has. Rejects with what kafkajs throws, and when nobody leads it. */
export async function earliestOf(cluster: Cluster, topics: Topics, owned: Owned): Promise<number> {
  const { topic, partition } = owned;
  const { leaders } = topics.known(topic) ?? (await topics.load(topic));
  const broker = await cluster.brokerPool.findBroker({ nodeId: leaders[partition] ?? -1 });
  const answer = await broker.listOffsets({
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ topic, partitions: [{ partition, timestamp: earliest }] }],
  });
  const offset = offsetsOf(answer).get(partition);
  if (offset === undefined) throw new Error(`${keyOf(owned)}: the leader does not say where it begins`);
  return offset;
}

const offsetsOf = ({ responses }: OffsetAnswers): Map<number, number> =>
  new Map(
    responses.flatMap(({ partitions }) => partitions.map(({ partition, offset }) => [partition, Number(offset)])),
  );
