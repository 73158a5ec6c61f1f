// Aggregates on the real engine: as if each event had arrived once, whatever was repeated, and filled from what was there.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { openEngine } from '../../src/adapters/chdb/engine.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { type ClickhouseSinkOptions, clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { type Judge, judgeOf } from '../../src/catalogue/judge.ts';
import type { Sink } from '../../src/ports/sink.ts';
import type { AggregateDefinition, TableDefinition } from '../../src/ports/tables.ts';
import { type TemporaryEngine, temporaryEngine, temporaryFolder } from '../support/clickhouse.ts';
import { click, film, judgeOptions, nowMs, originOf, quality } from '../support/edge.ts';
import { blockOf } from '../support/rows.ts';
import { eventually } from '../support/ugc.ts';

let local: TemporaryEngine;
const never = new AbortController().signal;
const judge: Judge = judgeOf(judgeOptions);

beforeAll(() => {
  local = temporaryEngine();
});
afterAll(() => local?.[Symbol.asyncDispose]());

const sql = async (query: string): Promise<string> => (await local.engine.query(query)).bytes.toString().trim();

let databases = 0;
const newDatabase = (): string => `aggregates_${++databases}`;

const sinkOn = (database: string, options: Partial<ClickhouseSinkOptions> = {}): Sink =>
  clickhouseSink({
    client: clickhouseClient({ connection: chdbConnection(local.engine) }),
    database,
    tables: catalogue.types.map(tableOf),
    migrate: 'auto',
    timeoutMs: 20_000,
    embedded: true,
    aggregates,
    refreshSeconds: 100_000, // only when a test asks
    ...options,
  });

async function prepared() {
  const db = newDatabase();
  const sink = sinkOn(db);
  await sink.prepare();
  for (const { name } of catalogue.types) await sql(`SYSTEM STOP MERGES ${db}.${name}_rows`); // the worst case
  return { db, sink };
}

let tokens = 0;

/** A block of its own under a token of its own. */
async function insert(sink: Sink, events: readonly object[], receivedAtMs = nowMs): Promise<void> {
  const bodies = Map.groupBy(events, event => {
    const verdict = judge(event, originOf({ receivedAtMs, source: 'web' }));
    if (!verdict.ok) throw new Error(JSON.stringify(verdict));
    return verdict.envelope.type;
  });
  for (const [type, of] of bodies) {
    const lines = of.map(event => {
      const verdict = judge(event, originOf({ receivedAtMs, source: 'web' }));
      return verdict.ok ? `${verdict.envelope.body}\n` : '';
    });
    await sink.insert(blockOf(type, lines), `token ${++tokens}`, never);
  }
}

/** Rows of an aggregate just computed, as TSV. */
async function fresh(db: string, name: string): Promise<string> {
  await sql(`SYSTEM REFRESH VIEW ${db}.${name}`);
  await sql(`SYSTEM WAIT VIEW ${db}.${name}`);
  return sql(`SELECT * FROM ${db}.${name} ORDER BY ALL`);
}

const id = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** Eight events of three users on two days. */
const events = [
  { ...film, event_id: id(1), user_id: 'ann', video_id: 'a', duration: 100, timestamp: '2026-11-20T23:59:59.999Z' },
  { ...film, event_id: id(2), user_id: 'ann', video_id: 'a', duration: 100, timestamp: '2026-11-21T00:00:00Z' },
  { ...film, event_id: id(3), user_id: 'bob', video_id: 'a', duration: 50.5, timestamp: '2026-11-21T01:00:00Z' },
  { ...film, event_id: id(4), anonymous_id: 'x', video_id: 'b', duration: 10, timestamp: '2026-11-21T01:00:30Z' },
  { ...film, event_id: id(5), video_id: 'b', duration: 10, timestamp: '2026-11-21T01:01:00Z' },
  { ...quality, event_id: id(6), user_id: 'bob', timestamp: '2026-11-21T02:00:00Z' },
  { ...quality, event_id: id(7), user_id: 'bob', video_id: 'v2', timestamp: '2026-11-21T02:00:59Z' },
  { ...click, event_id: id(8), user_id: 'cleo', anonymous_id: 'y', timestamp: '2026-11-21T02:00:00Z' },
];

const expected: Readonly<Record<string, string>> = {
  events_per_minute: [
    '2026-11-20 23:59:00\tfilm_watched\tweb\t1',
    '2026-11-21 00:00:00\tfilm_watched\tweb\t1',
    '2026-11-21 01:00:00\tfilm_watched\tweb\t2',
    '2026-11-21 01:01:00\tfilm_watched\tweb\t1',
    '2026-11-21 02:00:00\tclick\tweb\t1',
    '2026-11-21 02:00:00\tquality_change\tweb\t2',
  ].join('\n'),
  // day, film, viewers, views, completions, seconds
  film_views_daily: ['2026-11-20\ta\t1\t1\t1\t100', '2026-11-21\ta\t2\t2\t2\t150.5', '2026-11-21\tb\t1\t2\t2\t20'].join(
    '\n',
  ),
  // day, users, visitors, events
  active_users_daily: ['2026-11-20\t1\t0\t1', '2026-11-21\t3\t1\t7'].join('\n'),
  // day, from, to, changes, viewers, films
  quality_changes_daily: '2026-11-21\t240p\t720p\t2\t1\t2',
};

async function expectExact(db: string): Promise<void> {
  for (const { name } of aggregates)
    expect({ name, rows: await fresh(db, name) }).toEqual({ name, rows: expected[name]! });
}

describe('each aggregate counts each event once', () => {
  test('that came once', async () => {
    const { db, sink } = await prepared();
    await insert(sink, events);
    await expectExact(db);
  });

  test('repeated in a block, and in whole blocks under new tokens', async () => {
    const { db, sink } = await prepared();
    await insert(sink, [...events, ...events]);
    for (const _ of [1, 2]) await insert(sink, events);
    await insert(sink, events.slice(2, 5));
    expect(await sql(`SELECT count() FROM ${db}.film_watched_rows`)).not.toBe('5');
    await expectExact(db);
  });

  test('repeated later with another timestamp, film, user and length: the first received stays', async () => {
    const { db, sink } = await prepared();
    await insert(sink, events);
    await fresh(db, 'film_views_daily');
    const other = { timestamp: '2026-11-19T00:00:00Z', user_id: 'zoe' };
    const changed = events.map(event => ({
      ...event,
      ...other,
      ...('video_id' in event && { video_id: 'z' }),
      ...('duration' in event && { duration: 7 }),
    }));
    await insert(sink, changed, nowMs + 5_000);
    await expectExact(db);
  });

  test('whose repetition was computed first, then gives way to the one received before it', async () => {
    const { db, sink } = await prepared();
    const moved = events.map(event => ({ ...event, timestamp: '2026-11-18T00:00:00Z' }));
    await insert(sink, moved, nowMs + 5_000);
    expect(await fresh(db, 'active_users_daily')).toBe('2026-11-18\t3\t1\t8');
    await insert(sink, events);
    await expectExact(db);
  });

  test('also once the parts are merged', async () => {
    const { db, sink } = await prepared();
    for (const _ of [1, 2, 3]) await insert(sink, events);
    for (const { name } of catalogue.types) {
      await sql(`SYSTEM START MERGES ${db}.${name}_rows`);
      await sql(`OPTIMIZE TABLE ${db}.${name}_rows FINAL`);
    }
    await expectExact(db);
  });
});

describe('prepare', () => {
  const withoutAggregates = { aggregates: [] };
  const [perMinute] = aggregates as [AggregateDefinition];

  test('fills an aggregate that is added to old rows, by itself', async () => {
    const db = newDatabase();
    const old = sinkOn(db, withoutAggregates);
    await old.prepare();
    await insert(old, events);
    await sinkOn(db).prepare();
    for (const { name } of aggregates)
      await eventually(async () => (await sql(`SELECT * FROM ${db}.${name} ORDER BY ALL`)) === expected[name], {
        what: `${name} is filled`,
      });
  });

  test('makes one anew whose definition has changed, and leaves the others', async () => {
    const { db, sink } = await prepared();
    await insert(sink, events);
    const made = () => sql(`SELECT uuid FROM system.tables WHERE database = '${db}' AND name = 'film_views_daily'`);
    const before = await made();
    const total: AggregateDefinition = {
      ...perMinute,
      key: ['minute'],
      columns: [perMinute.columns[0]!, perMinute.columns[3]!],
    };
    await sinkOn(db, { aggregates: [total, ...aggregates.slice(1)] }).prepare();
    expect(await fresh(db, 'events_per_minute')).toContain('2026-11-21 02:00:00\t3');
    expect(await made()).toBe(before);
  });

  test('twice is as once, and by several processes at once succeeds for all', async () => {
    const db = newDatabase();
    await Promise.all([1, 2, 3].map(() => sinkOn(db).prepare()));
    const uuids = () =>
      sql(`SELECT uuid FROM system.tables WHERE database = '${db}' AND engine = 'MaterializedView' ORDER BY name`);
    const before = await uuids();
    expect(before.split('\n')).toHaveLength(aggregates.length);
    await sinkOn(db).prepare();
    expect(await uuids()).toBe(before);
    await sinkOn(db, { migrate: 'check' }).prepare();
  });

  test('that only checks names a missing one and makes none', async () => {
    const db = newDatabase();
    await sinkOn(db, withoutAggregates).prepare();
    await expect(sinkOn(db, { migrate: 'check' }).prepare()).rejects.toThrow('CREATE MATERIALIZED VIEW IF NOT EXISTS');
    expect(
      await sql(`SELECT count() FROM system.tables WHERE database = '${db}' AND engine = 'MaterializedView'`),
    ).toBe('0');
  });

  test('refuses a table in the place of one before anything is written', async () => {
    const db = newDatabase();
    await sql(`CREATE DATABASE ${db}`);
    await sql(`CREATE TABLE ${db}.film_views_daily (a Int8) ENGINE = Memory`);
    await expect(sinkOn(db).prepare()).rejects.toThrow(
      'film_views_daily is a table (Memory), wanted a materialized view',
    );
    expect(await sql(`SELECT count() FROM system.tables WHERE database = '${db}'`)).toBe('1');
  });

  test('makes films’ views of whatever there are tables of', async () => {
    const db = newDatabase();
    const opened: TableDefinition = {
      ...tableOf(catalogue.find('film_watched')!),
      type: 'film_opened',
    };
    const sink = sinkOn(db, { tables: [tableOf(catalogue.find('film_watched')!), opened] });
    await sink.prepare();
    await insert(sink, events.slice(0, 3));
    const bodies = [11, 12, 13].map(n => {
      const verdict = judge({ ...film, event_id: id(n), user_id: `u${n}`, video_id: 'a' }, originOf());
      return verdict.ok ? `${verdict.envelope.body.replaceAll('film_watched', 'film_opened')}\n` : '';
    });
    await sink.insert(blockOf('film_opened', bodies), 'opened', never);
    expect(await fresh(db, 'film_views_daily')).toBe('2026-11-20\ta\t1\t1\t1\t100\n2026-11-21\ta\t5\t3\t2\t150.5');
    expect(await sql(`EXISTS ${db}.quality_changes_daily`)).toBe('0');
  });
});

test('an aggregate is kept fresh by the engine, also after a restart', async () => {
  await local[Symbol.asyncDispose]();
  const folder = temporaryFolder();
  const open = () => {
    const engine = openEngine({ path: folder.path, memoryBytesMax: 2 ** 30 });
    local = { engine, [Symbol.asyncDispose]: () => engine.close() };
    return sinkOn('restarted', { refreshSeconds: 1 });
  };
  const sums = () => sql('SELECT sum(events) FROM restarted.events_per_minute');
  const first = open();
  await first.prepare();
  await insert(first, events.slice(0, 4));
  await eventually(async () => (await sums()) === '4', { what: 'the first rows are counted' });
  await local[Symbol.asyncDispose]();
  const second = open();
  expect(await sums()).toBe('4');
  await second.prepare();
  await insert(second, events);
  await eventually(async () => (await sums()) === '8', { what: 'the others are counted' });
  await local[Symbol.asyncDispose]();
  folder.remove();
});
