// Which log a position is of. A topic that was deleted and made again under its name is another log, and so is the topic
// of that name in another cluster: an offset of the one means nothing in the other. Brokers before 2.8 know no ids of
// topics; then the cluster's has to do, which tells the one from the other cluster only.

export interface LogIdentity {
  /** As Kafka's tools print it; null = the broker tells none. */
  readonly topicId: string | null;
  readonly clusterId: string | null;
}

/** What nobody tells counts as the same: a rolling upgrade has brokers that tell and brokers that do not. */
export function isSameLog(a: LogIdentity, b: LogIdentity): boolean {
  if (a.topicId !== null && b.topicId !== null) return a.topicId === b.topicId;
  return a.clusterId === null || b.clusterId === null || a.clusterId === b.clusterId;
}

const mark = /^log=([\w-]*)@([\w-]*)$/;

/** What a position is committed with. */
export const markOf = ({ topicId, clusterId }: LogIdentity): string => `log=${topicId ?? ''}@${clusterId ?? ''}`;

/** Null where whoever committed it did not say, as an older ugc. */
export function readMark(text: string): LogIdentity | null {
  const found = mark.exec(text);
  return found === null ? null : { topicId: found[1] || null, clusterId: found[2] || null };
}

/** Tells its positions from those of others of the same name; null where the brokers tell nothing. */
export const nameOfLog = ({ topicId, clusterId }: LogIdentity): string | null => topicId ?? clusterId;
