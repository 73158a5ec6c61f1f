// Who reads which partition: worked out by the group's leader, from what each member wants and has. Everybody keeps what
// they have as far as that is fair, because a partition that moves is read again from its committed position.

import { AssignerProtocol } from 'kafkajs';

/** The members of a group must agree on a name; ours keeps other consumers from joining it by mistake. */
export const protocolName = 'ugc-sticky';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface Subscription {
  readonly topics: readonly string[];
  /** What the member reads, and since which generation of the group. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  /** How many partitions each of its topics has, as far as it has heard. */
  readonly counts?: ReadonlyMap<string, number>;
}

export interface Member extends Subscription {
  readonly id: string;
}

export const encodeSubscription = ({ topics, owned, generation, counts = new Map() }: Subscription): Buffer =>
  AssignerProtocol.MemberMetadata.encode({
    version: 0,
    topics: [...topics],
    userData: Buffer.from(JSON.stringify({ owned, generation, counts: Object.fromEntries(counts) })),
  });

export function decodeMember(id: string, metadata: Buffer): Member {
  const decoded = AssignerProtocol.MemberMetadata.decode(metadata);
  const said = JSON.parse(decoded?.userData.toString() || '{}') as Partial<Subscription> & {
    readonly counts?: Readonly<Record<string, number>>;
  };
  const { owned = [], generation = -1, counts = {} } = said;
  return { id, topics: decoded?.topics ?? [], owned, generation, counts: new Map(Object.entries(counts)) };
}

/** Members hear with their shares what these were worked out from: a member that knows of more partitions speaks up. */
export function encodeAssignment(
  places: readonly TopicPartition[],
  counted: ReadonlyMap<string, number> = new Map(),
): Buffer {
  const assignment: Record<string, number[]> = {};
  for (const { topic, partition } of places) {
    assignment[topic] ??= [];
    assignment[topic].push(partition);
  }
  return AssignerProtocol.MemberAssignment.encode({
    version: 0,
    assignment,
    userData: Buffer.from(JSON.stringify(Object.fromEntries(counted))),
  });
}

/** How many partitions each topic had when the shares were worked out; null from a leader that does not say. */
export function decodeCounted(bytes: Buffer): ReadonlyMap<string, number> | null {
  const text = bytes.length === 0 ? '' : (AssignerProtocol.MemberAssignment.decode(bytes)?.userData.toString() ?? '');
  return text === '' ? null : new Map(Object.entries(JSON.parse(text) as Record<string, number>));
}

/** Of each topic the most that any member has heard of: a broker, or a right, that one lacks the other may have. */
export function mostOf(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const most = new Map<string, number>();
  for (const counts of all) for (const [topic, count] of counts) most.set(topic, Math.max(count, most.get(topic) ?? 0));
  return most;
}

export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  const decoded = bytes.length === 0 ? null : AssignerProtocol.MemberAssignment.decode(bytes);
  return Object.entries(decoded?.assignment ?? {}).flatMap(([topic, partitions]) =>
    partitions.map(partition => ({ topic, partition })),
  );
}

/** By member. `partitions` says how many each topic has; a topic that does not exist has none. */
export function assign(
  members: readonly Member[],
  partitions: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly TopicPartition[]> {
  const shares = new Map(members.map(({ id }) => [id, [] as TopicPartition[]]));
  const places = [...partitions]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => ({ topic, partition })));
  const free = new Map(places.map(place => [keyOf(place), place]));
  // Of two who claim the same, the later generation is right.
  for (const member of members.toSorted((a, b) => b.generation - a.generation || (a.id < b.id ? -1 : 1)))
    for (const owned of member.owned) {
      const place = free.get(keyOf(owned));
      const share = shares.get(member.id)!;
      if (place === undefined || !member.topics.includes(place.topic)) continue;
      share.push(place);
      free.delete(keyOf(place));
    }
  for (const place of free.values()) leastOf(members, shares, place.topic)?.push(place);
  return level(members, shares);
}

/** The member that wants the topic and has least. */
function leastOf(
  members: readonly Member[],
  shares: ReadonlyMap<string, TopicPartition[]>,
  topic: string,
): TopicPartition[] | undefined {
  let least: TopicPartition[] | undefined;
  for (const { id, topics } of members) {
    const share = shares.get(id)!;
    if (topics.includes(topic) && (least === undefined || share.length < least.length)) least = share;
  }
  return least;
}

/** Moves partitions from who has two more than another who wants them, until no member has. */
function level(
  members: readonly Member[],
  shares: Map<string, TopicPartition[]>,
): ReadonlyMap<string, readonly TopicPartition[]> {
  for (let isMoved = true; isMoved; ) {
    isMoved = false;
    for (const share of shares.values())
      for (const place of share.toReversed()) {
        const least = leastOf(members, shares, place.topic);
        if (least === undefined || share.length - least.length < 2) continue;
        share.splice(share.indexOf(place), 1);
        least.push(place);
        isMoved = true;
      }
  }
  return shares;
}

export const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
