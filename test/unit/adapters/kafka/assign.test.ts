import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  assign,
  decodeAssignment,
  decodeCounted,
  decodeMember,
  encodeAssignment,
  encodeSubscription,
  keyOf,
  type Member,
  mostOf,
  type TopicPartition,
} from '../../../../src/adapters/kafka/read/assign.ts';

const topicNames = ['a', 'b', 'c'];
const anyMembers = fc
  .array(fc.subarray(topicNames, { minLength: 1 }), { minLength: 1, maxLength: 6 })
  .map(wants => wants.map((topics, at): Member => ({ id: `m${at}`, topics, owned: [], generation: -1 })));
const anyCounts = fc
  .tuple(fc.nat(7), fc.nat(7), fc.nat(7))
  .map(counts => new Map(topicNames.map((topic, at) => [topic, counts[at]!])));

const allOf = (counts: ReadonlyMap<string, number>): string[] =>
  [...counts].flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => keyOf({ topic, partition })));
const keysOf = (places: readonly TopicPartition[] = []): string[] => places.map(keyOf);

test('each partition somebody wants is given to one member who wants it, and fairly', () => {
  fc.assert(
    fc.property(anyMembers, anyCounts, (members, counts) => {
      const shares = assign(members, counts);
      const wanted = new Set(members.flatMap(({ topics }) => topics));
      expect([...shares.values()].flatMap(keysOf).toSorted()).toEqual(
        allOf(counts)
          .filter(key => wanted.has(key[0]!))
          .toSorted(),
      );
      for (const { id, topics } of members)
        for (const { topic } of shares.get(id)!) {
          expect(topics).toContain(topic);
          for (const other of members.filter(each => each.topics.includes(topic)))
            expect(shares.get(id)!.length - shares.get(other.id)!.length).toBeLessThan(2);
        }
    }),
  );
});

test('whoever stays keeps what is fair; nothing moves when nothing changes', () => {
  fc.assert(
    fc.property(anyMembers, anyCounts, fc.boolean(), (members, counts, leaves) => {
      const before = assign(members, counts);
      const again = members.map((member, at) => ({ ...member, owned: before.get(member.id)!, generation: at % 2 }));
      expect([...assign(again, counts)].map(([id, places]) => [id, keysOf(places).toSorted()])).toEqual(
        [...before].map(([id, places]) => [id, keysOf(places).toSorted()]),
      );
      const everybodyWants = again.map(member => ({ ...member, topics: topicNames }));
      const even = assign(everybodyWants, counts);
      const settled = everybodyWants.map(member => ({ ...member, owned: even.get(member.id)! }));
      const fewer = leaves && settled.length > 1 ? settled.slice(1) : settled;
      for (const { id, owned } of fewer)
        expect(keysOf(assign(fewer, counts).get(id))).toEqual(expect.arrayContaining(keysOf(owned)));
    }),
  );
});

test('of two who claim the same partition the later generation has it', () => {
  const owned = [{ topic: 'a', partition: 0 }];
  const zombie = { id: 'a-first-by-name', topics: ['a'], owned, generation: 3 };
  const owner = { id: 'owner', topics: ['a'], owned, generation: 4 };
  const shares = assign([zombie, owner], new Map([['a', 2]]));
  expect(keysOf(shares.get('owner'))).toEqual(['a/0']);
  expect(keysOf(shares.get('a-first-by-name'))).toEqual(['a/1']);
});

test('what members say survives the way through the coordinator, and a stranger’s silence is nothing owned', () => {
  const owned = [{ topic: 'a', partition: 1 }];
  const counts = new Map([['a', 2]]);
  expect(decodeMember('m', encodeSubscription({ topics: ['a', 'b'], owned, generation: 7, counts }))).toEqual({
    id: 'm',
    topics: ['a', 'b'],
    owned,
    generation: 7,
    counts,
  });
  const places = [...owned, { topic: 'b', partition: 0 }, { topic: 'b', partition: 3 }];
  expect(decodeAssignment(encodeAssignment(places))).toEqual(places);
  expect(decodeAssignment(Buffer.alloc(0))).toEqual([]);
  expect(decodeCounted(encodeAssignment(places, counts))).toEqual(counts);
  expect(decodeCounted(Buffer.alloc(0))).toBeNull();
});

test('of a topic the most counts that any member has heard of', () => {
  const heard = [
    new Map([
      ['a', 2],
      ['b', 0],
    ]),
    new Map([['b', 4]]),
    new Map([['a', 1]]),
  ];
  expect(mostOf(heard)).toEqual(
    new Map([
      ['a', 2],
      ['b', 4],
    ]),
  );
});
