// One row for each event_id, whatever was repeated, and cheap to ask for.

import { beforeAll, describe, expect, test } from 'bun:test';
import type { Sink } from '../../src/ports/sink.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { type SeenRow, seenBlock, seenRows, seenTable } from '../support/rows.ts';

const heardTable: TableDefinition = {
  type: 'heard',
  summary: 'Something was heard',
  columns: [
    ...seenTable.columns.filter(({ name }) => name !== 'seconds'),
    { name: 'decibel', type: 'UInt32', about: 'How loud' },
  ],
};

const own = engineInTest();
const { sql } = own;
const never = new AbortController().signal;
const columns = seenTable.columns.map(({ name }) => name).join(', ');

async function prepared(): Promise<{ readonly sink: Sink; readonly db: string }> {
  const { sink, db } = await own.prepared([seenTable, heardTable]);
  await sql(`SYSTEM STOP MERGES ${db}.seen_rows`); // every insert stays a part of its own: the worst case
  return { sink, db };
}

const id = '0190a000-0000-7000-8000-000000000001';
const first: SeenRow = {
  event_id: id,
  received_at: '2026-11-21T10:00:00.000Z',
  timestamp: '2026-11-21T09:00:00.000Z',
  seconds: 1,
};
const later: SeenRow = {
  event_id: id,
  received_at: '2026-11-21T11:00:00.000Z',
  timestamp: '2026-11-20T00:00:00.000Z',
  seconds: 2,
};

describe('a repetition', () => {
  test('with another time and other content is not a second row: the first received stays', async () => {
    const { sink, db } = await prepared();
    await sink.insert(seenBlock(first), 'a', never);
    await sink.insert(seenBlock(later, ...seenRows(2)), 'b', never);
    for (const view of ['seen', 'events']) {
      expect(await sql(`SELECT count() FROM ${db}.${view}`)).toBe('3');
      expect(await sql(`SELECT timestamp FROM ${db}.${view} WHERE event_id = '${id}'`)).toBe('2026-11-21 09:00:00.000');
    }
    expect(await sql(`SELECT seconds FROM ${db}.seen WHERE event_id = '${id}'`)).toBe('1');
    expect(await sql(`SELECT count() FROM ${db}.seen_rows`)).toBe('4');
  });

  test('that is inserted before the first received one gives way to it', async () => {
    const { sink, db } = await prepared();
    await sink.insert(seenBlock(later), 'a', never);
    await sink.insert(seenBlock(first), 'b', never);
    expect(await sql(`SELECT seconds FROM ${db}.seen`)).toBe('1');
  });

  test('cannot be found under the time it claims, though an index would prune the first one away', async () => {
    const { sink, db } = await prepared();
    await sink.insert(seenBlock(first, ...seenRows(10)), 'a', never);
    await sink.insert(seenBlock(later), 'b', never);
    for (const view of ['seen', 'events']) {
      expect(await sql(`SELECT count() FROM ${db}.${view} WHERE timestamp < '2026-11-20 12:00:00'`)).toBe('0');
      expect(await sql(`SELECT count() FROM ${db}.${view} WHERE timestamp = '2026-11-21 09:00:00'`)).toBe('1');
    }
  });

  test('inside one block is one row', async () => {
    const { sink, db } = await prepared();
    await sink.insert(seenBlock(later, first, later), 'a', never);
    expect(await sql(`SELECT groupArray(seconds) FROM ${db}.seen`)).toBe('[1]');
  });

  test('stays one row when the parts are merged', async () => {
    const { sink, db } = await prepared();
    await sink.insert(seenBlock(first), 'a', never);
    await sink.insert(seenBlock(later), 'b', never);
    await sql(`SYSTEM START MERGES ${db}.seen_rows`);
    await sql(`OPTIMIZE TABLE ${db}.seen_rows FINAL`);
    expect(await sql(`SELECT groupArray(seconds) FROM ${db}.seen_rows`)).toBe('[1]');
  });

  test('of a whole block, cut in other places, changes nothing', async () => {
    const { sink, db } = await prepared();
    const rows = seenRows(1_000);
    for (const [from, to] of [
      [0, 1_000],
      [0, 400],
      [300, 900],
      [999, 1_000],
    ] as const)
      await sink.insert(seenBlock(...rows.slice(from, to)), `${from}-${to}`, never);
    expect(await sql(`SELECT count(), uniqExact(event_id) FROM ${db}.seen`)).toBe('1000\t1000');
    expect(await sql(`SELECT count() FROM ${db}.seen_rows`)).toBe('2001');
  });
});

test('events holds all types, with what only one of them has as JSON', async () => {
  const { sink, db } = await prepared();
  await sink.insert(seenBlock({ ...first, user_id: 'u' }), 'a', never);
  await sql(
    `INSERT INTO ${db}.heard_rows (event_id, event_type, received_at, timestamp, decibel) VALUES ('${id.replace(/1$/, '2')}', 'heard', now64(), now64(), 70)`,
  );
  expect(await sql(`SELECT event_type, user_id, fields FROM ${db}.events ORDER BY event_id`)).toBe(
    'seen\tu\t{"seconds":1}\nheard\t\\N\t{"decibel":70}',
  );
});

describe('on 400 000 rows in four parts, each with the last rows of the one before again', () => {
  const rowsOfPart = 100_000;
  let db: string;

  beforeAll(async () => {
    ({ db } = await prepared());
    const row = `toUUID(concat('0190', substring(h, 1, 4), '-', substring(h, 5, 4), '-7000-8000-000000000000')), 'seen', t, t, NULL, n, '{}'`;
    const numbers = (from: number, count: number, extraSeconds: number) =>
      `SELECT ${row} FROM (SELECT number AS n, leftPad(lower(hex(number)), 8, '0') AS h, toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + number + ${extraSeconds} AS t FROM numbers(${from}, ${count}))`;
    for (const part of [0, 1, 2, 3])
      await sql(
        `INSERT INTO ${db}.seen_rows (${columns}) ${numbers(part * rowsOfPart, rowsOfPart, 0)} UNION ALL ${numbers(Math.max(0, part * rowsOfPart - 500), 500, 3600)} SETTINGS max_insert_threads = 1, max_block_size = 1048576, min_insert_block_size_rows = 1048576, min_insert_block_size_bytes = 0`,
      );
  });

  /** Granules read and granules there are, of all tables a query touches. */
  async function granulesOf(query: string): Promise<{ readonly read: number; readonly all: number }> {
    const plan = await sql(`EXPLAIN indexes = 1 ${query} FORMAT TSVRaw`);
    const tables = plan.split('ReadFromMergeTree').slice(1);
    const granules = tables.map(table => [...table.matchAll(/Granules: (\d+)\/(\d+)/g)]);
    return {
      read: granules.reduce((sum, steps) => sum + Number(steps.at(-1)?.[1] ?? 0), 0),
      all: granules.reduce((sum, steps) => sum + Number(steps[0]?.[2] ?? 0), 0),
    };
  }

  test('each is counted once', async () => {
    expect(await sql(`SELECT count(), uniqExact(event_id), max(seconds) FROM ${db}.seen`)).toBe(
      '400000\t400000\t399999',
    );
    expect(await sql(`SELECT count() FROM ${db}.events`)).toBe('400000');
    expect(
      await sql(`SELECT countIf(received_at != toDateTime64('2026-01-01', 3, 'UTC') + seconds) FROM ${db}.seen`),
    ).toBe('0');
  });

  for (const view of ['seen', 'events']) {
    test(`a question about an hour reads a few granules, through ${view}`, async () => {
      const where = `timestamp >= '2026-01-04 00:00:00' AND timestamp < '2026-01-04 01:00:00'`;
      expect(await sql(`SELECT count() FROM ${db}.${view} WHERE ${where}`)).toBe('3600');
      const { read, all } = await granulesOf(`SELECT count() FROM ${db}.${view} WHERE ${where}`);
      expect(all).toBeGreaterThan(40);
      expect(read).toBeLessThanOrEqual(4);
    });

    test(`a question about when events were received does too, through ${view}`, async () => {
      const { read } = await granulesOf(`SELECT count() FROM ${db}.${view} WHERE received_at < '2026-01-01 00:30:00'`);
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThanOrEqual(8);
    });

    test(`a search by event_id reads a granule of each part at most, through ${view}`, async () => {
      const wanted = '01900001-86a0-7000-8000-000000000000'; // 100 000
      const found = `FROM ${db}.${view} WHERE event_id = '${wanted}'`;
      expect(
        await sql(`SELECT toUnixTimestamp(timestamp) - toUnixTimestamp('2026-01-01 00:00:00', 'UTC') ${found}`),
      ).toBe('100000');
      const { read, all } = await granulesOf(`SELECT * ${found}`);
      expect(all).toBeGreaterThan(40);
      expect(read).toBeLessThanOrEqual(4);
    });
  }
});
