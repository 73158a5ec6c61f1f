// Which log a position is of. A topic that was deleted and made again under its name is another log, and so is the topic
// of that name in another cluster: an offset of the one means nothing in the other. Brokers before 2.8 know no ids of
// topics; then the cluster's has to do, which tells the one from the other cluster only.

export interface LogIdentity {
  /** As Kafka's tools print it; null = the broker tells none. */
  readonly topicId: string | null;
  readonly clusterId: string | null;
}

/** What no broker tells counts as the same: a rolling upgrade has brokers that tell and brokers that do not. */
export function isSameLog(a: LogIdentity, b: LogIdentity): boolean {
  if (a.topicId !== null && b.topicId !== null) return a.topicId === b.topicId;
  return a.clusterId === null || b.clusterId === null || a.clusterId === b.clusterId;
}

const mark = /^log=([\w-]*)@([\w-]*)(?:#(\d+))?$/;

/** What a position is committed with; `epoch` of the leader its records are from, -1 = not known. */
export const markOf = ({ topicId, clusterId }: LogIdentity, epoch = -1): string =>
  `log=${topicId ?? ''}@${clusterId ?? ''}${epoch < 0 ? '' : `#${epoch}`}`;

/** Null where the process that committed it did not say, as an older ugc. */
export function readMark(text: string): { readonly log: LogIdentity; readonly epoch: number } | null {
  const found = mark.exec(text);
  if (found === null) return null;
  return { log: { topicId: found[1] || null, clusterId: found[2] || null }, epoch: Number(found[3] ?? -1) };
}

/** Tells its positions from those of others of the same name; null where the brokers tell nothing. */
export const nameOfLog = ({ topicId, clusterId }: LogIdentity): string | null => topicId ?? clusterId;

/** By its id, where another of the same log was told one. */
export const withIdOf = (log: LogIdentity, other: LogIdentity | null | undefined): LogIdentity =>
  log.topicId === null && other != null && isSameLog(other, log) ? other : log;
