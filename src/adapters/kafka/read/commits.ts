// Positions on their way to the coordinator. One request at a time; what comes meanwhile goes with the next, of a
// partition only its latest. A position is sent under the generation of the moment, and only while the partition is
// still owned as it was when its records were read: whatever the coordinator refuses for another generation waits for the
// next assignment, which says whether it is still ours to send. Each says of which log it is, so that a reader who comes
// after the topic was made anew does not take it for one of the new log.

import type { Troubles } from '../../../process/troubles.ts';
import { dropBroker, sendBytes } from '../connect/driver.ts';
import { errorOfReader, errorOfReading } from '../connect/error.ts';
import { type LogIdentity, markOf } from '../connect/identity.ts';
import { keyOf, type TopicPartition } from './assign.ts';
import { writeText } from './fetch.ts';
import type { Group, Session } from './group.ts';
import { pauseOf, within } from './pause.ts';

export interface Commits {
  /** The next offset to read. Resolves once stored or pointless, or when it takes long: then it is still on its way. */
  add(commit: Commit): Promise<void>;
  /** The group is shared out anew: forgets what is not owned any more, and sends the rest. */
  resume(): void;
  /** The coordinator may be there again. */
  flush(): void;
  /** Bounded. Sends what is left. */
  close(): Promise<void>;
}

export interface Commit extends TopicPartition {
  readonly epoch: number;
  readonly offset: number;
  readonly log: LogIdentity | null;
  /** Of the leader its records are from; -1 = not known. */
  readonly readEpoch: number;
}

export interface CommitsOptions {
  readonly clientId: string;
  readonly address: string;
  readonly group: Pick<Group, 'session' | 'check'>;
  readonly troubles: Troubles;
  readonly isOwned: (commit: Commit) => boolean;
}

interface PendingCommit extends Commit {
  readonly settled: PromiseWithResolvers<void>;
}

const waitMsMax = 2_000;
const retryMs = 500;
const fenced = new Set(['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);
const elsewhere = new Set(['NOT_COORDINATOR_FOR_GROUP', 'GROUP_COORDINATOR_NOT_AVAILABLE']);

export function kafkaCommits(options: CommitsOptions): Commits {
  const { group, troubles, isOwned } = options;
  const waiting = new Map<string, PendingCommit>();
  const pause = pauseOf();
  let sending: Promise<void> | null = null;
  /** A caller has asked while a request was under way. */
  let isWanted = false;
  let isClosing = false;

  function flush(): void {
    isWanted = waiting.size > 0;
    if (isWanted) sending ??= send().finally(ended);
  }

  function ended(): void {
    sending = null;
    if (isWanted && !isClosing) flush();
  }

  async function send(): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve)); // whatever comes in this turn goes together
    while (waiting.size > 0) {
      isWanted = false;
      forgetLost();
      const session = group.session();
      if (session === null || waiting.size === 0) return; // flush() comes again
      const isDone = await attempt(session, [...waiting.values()]);
      if (isDone) continue;
      if (isClosing) return;
      await pause.wait(retryMs);
    }
  }

  /** False when it makes no sense to go on at once. */
  async function attempt(session: Session, commits: readonly PendingCommit[]): Promise<boolean> {
    try {
      const codes = await ask(session, commits);
      troubles.clear('commit');
      return commits.map(commit => settle(session, commit, codes.get(keyOf(commit)) ?? -1)).every(Boolean);
    } catch (thrown) {
      dropBroker(session.coordinator, thrown);
      group.check();
      troubles.tell('commit', errorOfReader(thrown, `offsets at ${options.address}`));
      return false;
    }
  }

  async function ask(session: Session, commits: readonly Commit[]): Promise<ReadonlyMap<string, number>> {
    // As the group has opened it: connecting is its work, and logging in.
    const connection = session.coordinator.connectionPool.pool[0]!;
    const answer = await sendBytes(connection, commitApi, id => writeCommits(id, options.clientId, session, commits));
    return readCommitted(answer);
  }

  function settle(session: Session, commit: PendingCommit, code: number): boolean {
    const key = keyOf(commit);
    if (code === 0) {
      troubles.clear(`commit ${key}`);
      commit.settled.resolve();
      // Not if a later one has taken its place meanwhile.
      if (waiting.get(key) === commit) waiting.delete(key);
      return true;
    }
    const { name, error } = errorOfReading(code, `the offset of ${key}`);
    if (!fenced.has(name)) troubles.tell(`commit ${key}`, error);
    if (elsewhere.has(name)) dropBroker(session.coordinator, error);
    group.check();
    return false;
  }

  function forgetLost(): void {
    for (const [key, commit] of waiting) {
      if (isOwned(commit)) continue;
      waiting.delete(key);
      commit.settled.resolve();
      troubles.clear(`commit ${key}`);
    }
  }

  return {
    async add(commit) {
      const key = keyOf(commit);
      const before = waiting.get(key);
      const isBehind = before !== undefined && before.epoch === commit.epoch && before.offset >= commit.offset;
      const settled = Promise.withResolvers<void>();
      if (!isBehind) {
        waiting.set(key, { ...commit, settled });
        if (before !== undefined) void settled.promise.then(before.settled.resolve);
      }
      flush();
      await within(waitMsMax, isBehind ? before.settled.promise : settled.promise);
    },
    resume() {
      forgetLost();
      pause.wake();
      flush();
    },
    flush,
    async close() {
      isClosing = true;
      flush();
      pause.wake();
      if (sending !== null) await within(waitMsMax, sending);
      for (const { settled } of waiting.values()) settled.resolve();
    },
  };
}

// OffsetCommit, version 5: https://kafka.apache.org/protocol#The_Messages_OffsetCommit. Not kafkajs', which fails all
// partitions for one and does not say which.
const commitApi = { apiKey: 8, apiVersion: 5, apiName: 'OffsetCommit' } as const;

function writeCommits(correlationId: number, clientId: string, session: Session, commits: readonly Commit[]): Buffer {
  const names = clientId.length + session.groupId.length + session.memberId.length;
  const marks = commits.map(({ log, readEpoch }) => (log === null ? '' : markOf(log, readEpoch)));
  const texts = commits.reduce((sum, { topic }, at) => sum + 32 + (topic.length + marks[at]!.length) * 3, 0);
  const buffer = Buffer.allocUnsafe(64 + names * 3 + texts);
  let at = buffer.writeInt16BE(commitApi.apiKey, 4);
  at = buffer.writeInt16BE(commitApi.apiVersion, at);
  at = buffer.writeInt32BE(correlationId, at);
  at = writeText(buffer, at, clientId);
  at = writeText(buffer, at, session.groupId);
  at = buffer.writeInt32BE(session.generation, at);
  at = writeText(buffer, at, session.memberId);
  const byTopic = Map.groupBy(
    commits.map((commit, index) => ({ ...commit, mark: marks[index]! })),
    ({ topic }) => topic,
  );
  at = buffer.writeInt32BE(byTopic.size, at);
  for (const [topic, ofTopic] of byTopic) {
    at = writeText(buffer, at, topic);
    at = buffer.writeInt32BE(ofTopic.length, at);
    for (const { partition, offset, mark } of ofTopic) {
      at = buffer.writeInt32BE(partition, at);
      at = buffer.writeBigInt64BE(BigInt(offset), at);
      at = writeText(buffer, at, mark);
    }
  }
  buffer.writeInt32BE(at - 4, 0);
  return buffer.subarray(0, at);
}

/** By partition: the code, 0 = stored. */
function readCommitted(bytes: Buffer): ReadonlyMap<string, number> {
  const codes = new Map<string, number>();
  let at = 8;
  for (let topics = bytes.readInt32BE(4); topics > 0; topics--) {
    const length = bytes.readInt16BE(at);
    const topic = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length + 4;
    for (let left = bytes.readInt32BE(at - 4); left > 0; left--, at += 6)
      codes.set(keyOf({ topic, partition: bytes.readInt32BE(at) }), bytes.readInt16BE(at + 4));
  }
  return codes;
}
