// What lies in the buffer, for whom, since when: counted row by row without reading a body.

import type { BufferReport, ReaderBacklog } from '../../../ports/buffer-file.ts';
import { fetchHead, type Head, lastPosition, unlessCorrupt, walkPositions } from '../inspect/walk.ts';
import type { Connection } from '../log/connection.ts';
import { sizeOf } from '../log/file.ts';
import { type Bounds, bytesUsed, roomOf } from '../log/room.ts';

type Topic = { -readonly [K in keyof BufferReport['topics'][number]]: BufferReport['topics'][number][K] };

/** By reader, then by topic. A reader that has passed nothing has no topics. */
type Positions = ReadonlyMap<string, ReadonlyMap<string, number>>;

export function reportOf(connection: Connection, bounds: Bounds): BufferReport {
  const readers = readPositions(connection);
  const behind = new Map([...readers.keys()].map(reader => [reader, new Map<string, number>()]));
  const topics = new Map<string, Topic>();
  const unreadableRows = eachHead(connection, (seq, { topic, type, count, receivedAtMs, bytes }) => {
    const key = JSON.stringify([topic, type]);
    const sum = topics.get(key) ?? { topic, type, events: 0, bytes: 0, oldestAtMs: receivedAtMs };
    sum.events += count;
    sum.bytes += bytes;
    sum.oldestAtMs = Math.min(sum.oldestAtMs, receivedAtMs);
    topics.set(key, sum);
    for (const [reader, positions] of readers)
      if (seq > (positions.get(topic) ?? 0)) add(behind.get(reader)!, topic, count);
  });
  const pages = {
    count: connection.one<{ page_count: number }>('PRAGMA page_count')!.page_count,
    free: connection.one<{ freelist_count: number }>('PRAGMA freelist_count')!.freelist_count,
  };
  const { bound, disk } = roomOf(bounds).left(pages);
  const all = [...topics.values()].sort((a, b) => compare(a.topic, b.topic) || compare(a.type, b.type));
  return {
    events: sumOf(all.map(({ events }) => events)),
    fileBytes: (sizeOf(bounds.path) ?? 0) + (sizeOf(`${bounds.path}-wal`) ?? 0),
    bytes: bytesUsed(pages),
    left: Math.max(0, Math.min(bound, disk)),
    oldestAtMs: all.length === 0 ? null : Math.min(...all.map(({ oldestAtMs }) => oldestAtMs)),
    unreadableRows,
    topics: all,
    readers: [...readers].map(([reader, positions]) => {
      const waiting = behind.get(reader)!;
      const names = [...new Set([...positions.keys(), ...waiting.keys()])].sort(compare);
      return {
        reader,
        behind: sumOf([...waiting.values()]),
        topics: names.map(topic => ({
          topic,
          position: positions.get(topic) ?? null,
          behind: waiting.get(topic) ?? 0,
        })),
      };
    }),
    quarantine: connection.many(
      `SELECT reason, sum(records) AS records, min(at_ms) AS oldestAtMs FROM quarantine
       GROUP BY reason ORDER BY records DESC, reason`,
    ),
  };
}

/** What would be given up with this reader; null when there is none of that name. */
export function backlogOf(connection: Connection, reader: string): ReaderBacklog | null {
  const all = readPositions(connection);
  const mine = all.get(reader);
  if (mine === undefined) return null;
  const others = [...all].filter(([name]) => name !== reader);
  let [behind, lost] = [0, 0];
  eachHead(connection, (seq, { topic, count }) => {
    if (seq <= (mine.get(topic) ?? 0)) return;
    behind += count;
    // Without any reader nothing is ever deleted.
    if (others.length > 0 && others.every(([, positions]) => seq <= (positions.get(topic) ?? 0))) lost += count;
  });
  return { behind, lost, otherReaders: others.map(([name]) => name) };
}

/** Calls for every row there is; gives back how many could not be read. */
function eachHead(connection: Connection, look: (seq: number, head: Head) => void): number {
  const fetch = fetchHead(connection);
  let unreadable = 0;
  const onGap = (): void => void unreadable++;
  for (const seq of walkPositions(connection, { upTo: lastPosition(connection), onGap })) {
    // Swept meanwhile, unless its pages are damaged.
    const head = unlessCorrupt(() => ({ row: fetch(seq) }));
    if (head === null) unreadable++;
    else if (head.row !== null) look(seq, head.row);
  }
  return unreadable;
}

/** A reader of no name is a repair under way, which holds everything. */
export function readPositions(connection: Connection): Positions {
  const readers = new Map<string, Map<string, number>>();
  const rows = connection.many<{ reader: string; topic: string; position: number }>(
    'SELECT reader, topic, position FROM readers ORDER BY reader, topic',
  );
  for (const { reader, topic, position } of rows) {
    if (topic === '') readers.set(reader, readers.get(reader) ?? new Map());
    else readers.get(reader)?.set(topic, position);
  }
  return readers;
}

const add = (sums: Map<string, number>, key: string, count: number): void =>
  void sums.set(key, (sums.get(key) ?? 0) + count);
const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0);
const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
