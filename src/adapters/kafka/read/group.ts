// Membership in a consumer group: found, joined, kept by heartbeats whatever the mover does, joined again when the
// group is shared out anew, left at the end. The requests are kafkajs', over a connection of its own; the order of
// things is ours: kafkajs' ConsumerGroup commits whatever it is given under the generation it is in, so what was read
// under an ownership that has ended would move the new owner's position; it fails as a whole for one topic that does
// not exist; and it heartbeats between fetches only.
// - a partition kept from one generation to the very next was no other member's in between: it is read on (isContinued).
//   After a gap in generations, or once the group has given up on this member, everything begins anew
// - the coordinator decides who is a member: a process that was stopped for long hears of it with its first heartbeat or
//   commit, and the coordinator refuses what it says under its old name (UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION)

import { PipelineError } from '../../../errors.ts';
import type { Troubles } from '../../../process/troubles.ts';
import { type Cluster, type CoordinatorBroker, dropBroker, dropHung, openCoordinator } from '../connect/driver.ts';
import { errorOfReader, typeOfKafkaError } from '../connect/error.ts';
import {
  assign,
  decodeAssignment,
  decodeCounted,
  decodeMember,
  encodeAssignment,
  encodeSubscription,
  mostOf,
  protocolName,
  type TopicPartition,
} from './assign.ts';
import { pauseOf, within } from './pause.ts';

export interface GroupOptions {
  readonly cluster: Cluster;
  readonly address: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly troubles: Troubles;
  /** How many partitions each of the topics has; what does not exist has none. Asked of the group's leader. */
  readonly countPartitions: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** As last heard, of this member's topics; a topic no broker could tell of is not in it. */
  readonly counts: () => ReadonlyMap<string, number>;
  /** This member's share from now on. */
  readonly onAssigned: (places: readonly TopicPartition[], isContinued: boolean) => void;
}

/** Under which name the coordinator takes this member's word. */
export interface Session {
  readonly groupId: string;
  readonly memberId: string;
  readonly generation: number;
  readonly coordinator: CoordinatorBroker;
}

export interface Group {
  /** Null while there is none: joining, or no broker can be reached. */
  session(): Session | null;
  /** The coordinator has said something else than expected: ask it now. */
  check(): void;
  /** Numbers of partitions may have changed: if this member's topics have, the group is shared out anew. */
  recount(): void;
  /** This member's topics that have partitions no member was given. */
  unshared(): readonly string[];
  /** Idempotent, bounded. Leaves, so that others take over at once. */
  close(): Promise<void>;
}

const retryMsMin = 100;
const retryMsMax = 5_000;
const closeMsMax = 1_500;
/** What is over by then is not worth a word. */
const patienceMs = 2_000;
/** What a cluster says whose first group this is, or that has just started. */
const settling = new Set(['GROUP_COORDINATOR_NOT_AVAILABLE', 'GROUP_LOAD_IN_PROGRESS', 'NOT_COORDINATOR_FOR_GROUP']);

export function kafkaGroup(options: GroupOptions): Group {
  const { cluster, groupId, topics, sessionTimeoutMs, troubles } = options;
  const heartbeatMs = Math.min(1_000, sessionTimeoutMs / 5);
  // Pauses are up to one and a half of it: a member that asked more rarely would have been given up when the
  // coordinator is back.
  const pauseMsMax = Math.min(retryMsMax, sessionTimeoutMs / 4);
  const pause = pauseOf();
  let coordinator: CoordinatorBroker | null = null;
  let memberId = '';
  let generation = -1;
  let owned: readonly TopicPartition[] = [];
  let isMember = false;
  /** What the shares were worked out from. */
  let counted: ReadonlyMap<string, number> = new Map();
  let isClosing = false;
  let retryMs = retryMsMin;
  /** When all was well, or it began. */
  let settledAtMs = performance.now();
  let closed: Promise<void> | undefined;
  const done = run();

  async function run(): Promise<void> {
    while (!isClosing) {
      try {
        await (isMember ? attend() : saying(attend));
        if (isClosing) break;
        troubles.clear('group');
        settledAtMs = performance.now();
        retryMs = retryMsMin;
        if (isMember) await pause.wait(heartbeatMs);
      } catch (thrown) {
        await recover(thrown);
      }
    }
  }

  async function attend(): Promise<void> {
    coordinator ??= await openCoordinator(cluster, groupId);
    if (isClosing) return;
    if (!isMember) await join(coordinator);
    await beat(coordinator);
  }

  /** What takes longer than a moment is said: one who has died is waited for until its session is over. */
  async function saying(action: () => Promise<void>): Promise<void> {
    const words = `group ${groupId} at ${options.address} is being joined: the others, and a member that has died, are waited for up to its session timeout; nothing is read until then`;
    const timer = setTimeout(() => troubles.tell('group', new PipelineError('log_unavailable', words)), patienceMs);
    await action().finally(() => clearTimeout(timer));
  }

  async function join(broker: CoordinatorBroker): Promise<void> {
    const counts = new Map(options.counts());
    // It differs from the one before, or the coordinator would let everything be as it is.
    const metadata = encodeSubscription({ topics, owned, generation, counts });
    const joined = await broker.joinGroup({
      groupId,
      memberId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      groupProtocols: [{ name: protocolName, metadata }],
    });
    memberId = joined.memberId;
    const groupAssignment = joined.leaderId === memberId ? await share(joined.members) : [];
    const { generationId } = joined;
    const synced = await broker.syncGroup({ groupId, generationId, memberId, groupAssignment });
    // The same again is what a member gets whose answer was lost on the way.
    const isContinued = generation >= 0 && generationId >= generation && generationId <= generation + 1;
    owned = decodeAssignment(synced.memberAssignment).filter(({ topic }) => topics.includes(topic));
    counted = decodeCounted(synced.memberAssignment) ?? counts;
    generation = generationId;
    isMember = true;
    options.onAssigned(owned, isContinued);
  }

  /** The leader's work. */
  async function share(members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[]) {
    const decoded = members.map(each => decodeMember(each.memberId, each.memberMetadata));
    const heard = await options.countPartitions([...new Set(decoded.flatMap(member => member.topics))]);
    const most = mostOf([heard, ...decoded.map(member => member.counts ?? new Map())]);
    return [...assign(decoded, most)].map(([id, places]) => ({
      memberId: id,
      memberAssignment: encodeAssignment(places, most),
    }));
  }

  async function beat(broker: CoordinatorBroker): Promise<void> {
    await broker.heartbeat({ groupId, memberId, groupGenerationId: generation });
  }

  async function recover(thrown: unknown): Promise<void> {
    if (isClosing) return;
    const type = typeOfKafkaError(thrown);
    if (type === 'REBALANCE_IN_PROGRESS') {
      isMember = false;
      return;
    }
    if (type === 'UNKNOWN_MEMBER_ID' || type === 'ILLEGAL_GENERATION' || type === 'FENCED_INSTANCE_ID') {
      lose(type);
      return;
    }
    // The membership outlives the connection, and the coordinator's restart.
    if (coordinator !== null) dropBroker(coordinator, thrown);
    coordinator = null;
    dropHung(cluster, thrown);
    const isSettling = type !== undefined && settling.has(type) && performance.now() - settledAtMs < patienceMs;
    if (!isSettling) troubles.tell('group', errorOfReader(thrown, `group ${groupId} at ${options.address}`));
    await pause.wait(retryMs * (0.5 + Math.random()));
    retryMs = Math.min(retryMs * 2, pauseMsMax);
  }

  function lose(type: string): void {
    if (type !== 'ILLEGAL_GENERATION') memberId = '';
    generation = -1;
    owned = [];
    isMember = false;
    options.onAssigned([], false);
  }

  async function end(): Promise<void> {
    isClosing = true;
    pause.wake();
    await within(closeMsMax, done);
    if (coordinator !== null && memberId !== '')
      await within(closeMsMax, coordinator.leaveGroup({ groupId, memberId }));
    const drop = (): void => {
      if (coordinator !== null) dropBroker(coordinator, new PipelineError('shutting_down'));
    };
    drop();
    void done.then(drop); // a connection that was still being made
  }

  return {
    session: () => (isMember && coordinator !== null ? { groupId, memberId, generation, coordinator } : null),
    check: () => pause.wake(),
    recount() {
      const counts = options.counts();
      const isAsCounted = topics.every(topic => {
        const before = counted.get(topic) ?? 0;
        return (counts.get(topic) ?? before) === before;
      });
      if (!isMember || isAsCounted) return;
      isMember = false; // joining anew, with other words than before, makes the coordinator share out anew
      pause.wake();
    },
    unshared() {
      const counts = options.counts();
      return topics.filter(topic => (counts.get(topic) ?? 0) > (counted.get(topic) ?? 0));
    },
    close: () => (closed ??= end()),
  };
}
