// What of a cluster the embedded engine can run: it parses every statement; a Distributed table over one local shard is
// real, replication and ON CLUSTER are not (no Keeper in the library). So the statements run here without those two, on an
// engine that knows a cluster of one shard, and repetitions go in through the table over it.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { loadAddon, type Session } from '../../src/adapters/chdb/library.ts';
import { planSchema } from '../../src/adapters/clickhouse/schema/plan.ts';
import { clusterInsertSettings } from '../../src/adapters/clickhouse/schema/rows-table.ts';
import { wantedSchema } from '../../src/adapters/clickhouse/schema/tables.ts';
import { quoteText } from '../../src/adapters/clickhouse/sql.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';
import { temporaryFolder } from '../support/clickhouse.ts';
import { film, judgeOptions, nowMs, originOf } from '../support/edge.ts';

const folder = temporaryFolder();
const addon = loadAddon();
let session: Session;

const wantedOf = (tables: readonly TableDefinition[]) =>
  wantedSchema({ database: 'ugc', cluster: 'one', tables, embedded: false, aggregates });
const wanted = wantedOf(catalogue.types.map(tableOf));

beforeAll(() => {
  const config = join(folder.path, 'config.xml');
  writeFileSync(
    config,
    '<clickhouse><tcp_port>9000</tcp_port><remote_servers><one><shard><internal_replication>true</internal_replication>' +
      '<replica><host>127.0.0.1</host><port>9000</port></replica></shard></one></remote_servers></clickhouse>',
  );
  session = addon.CreateConnection(join(folder.path, 'data'), [`--config-file=${config}`]);
});
afterAll(() => {
  addon.CloseConnection(session);
  folder.remove();
});

const sql = (query: string): string => addon.QueryWithConnection(session, query, 'TSV').trim();

/** The statement for an engine without Keeper. */
const alone = (statement: string): string =>
  statement
    .replaceAll(' ON CLUSTER `one`', '')
    .replace(/ReplicatedReplacingMergeTree\('[^']*', '[^']*', /, 'ReplacingMergeTree(')
    .replace(
      /SETTINGS replicated_deduplication_window = \d+, replicated_deduplication_window_seconds = \d+/,
      'SETTINGS non_replicated_deduplication_window = 1000',
    );

test('ClickHouse reads each statement as it is meant', () => {
  const { statements } = planSchema(wanted, new Map());
  expect(statements.length).toBeGreaterThan(100);
  for (const statement of statements) {
    const formatted = sql(`SELECT formatQuery(${quoteText(statement)})`);
    expect(formatted).toContain('ON CLUSTER one');
  }
});

test('every setting of the tables and of the inserts is one ClickHouse knows', () => {
  const names = new Set(wanted.tables.flatMap(({ settings }) => Object.keys(settings)));
  expect(names.size).toBe(4);
  for (const name of names)
    expect(sql(`SELECT count() FROM system.merge_tree_settings WHERE name = '${name}'`)).toBe('1');
  for (const name of [...Object.keys(clusterInsertSettings), 'distributed_ddl_output_mode'])
    expect(sql(`SELECT count() FROM system.settings WHERE name = '${name}'`)).toBe('1');
  sql("SET distributed_ddl_output_mode = 'null_status_on_timeout_only_active'");
});

test('through the table over the shards a repeated block is stored once, and repeated rows are read once', () => {
  const types = ['film_watched', 'quality_change'].map(name => tableOf(catalogue.find(name)!));
  for (const statement of planSchema(wantedOf(types), new Map()).statements) sql(alone(statement));
  const judge = judgeOf(judgeOptions);
  const rows = (receivedAtMs: number, timestamp: string) =>
    Array.from({ length: 100 }, (_, n) => {
      const id = `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
      const verdict = judge({ ...film, event_id: id, user_id: `u${n}`, timestamp }, originOf({ receivedAtMs }));
      if (!verdict.ok) throw new Error(JSON.stringify(verdict));
      return verdict.envelope.body;
    }).join('\n');
  const columns = tableOf(catalogue.find('film_watched')!)
    .columns.map(({ name }) => name)
    .join(', ');
  const insert = (token: string, body: string): void => {
    const settings = `distributed_foreground_insert = 1, date_time_input_format = 'best_effort', input_format_json_read_objects_as_strings = 1, insert_deduplication_token = '${token}'`;
    sql(`INSERT INTO ugc.film_watched_rows (${columns}) SETTINGS ${settings} FORMAT JSONEachRow ${body}`);
  };
  const first = rows(nowMs, '2026-11-21T11:00:00Z');
  insert('a', first);
  insert('a', first);
  expect(sql('SELECT count() FROM ugc.film_watched_local')).toBe('100');
  sql('SYSTEM STOP MERGES ugc.film_watched_local');
  insert('b', first);
  insert('c', rows(nowMs + 60_000, '2026-11-20T11:00:00Z'));
  expect(sql('SELECT count() FROM ugc.film_watched_local')).toBe('300');
  expect(sql('SELECT count(), uniqExact(event_id), min(timestamp) FROM ugc.film_watched')).toBe(
    '100\t100\t2026-11-21 11:00:00.000',
  );
  expect(sql('SELECT count() FROM ugc.events')).toBe('100');
  sql('SYSTEM REFRESH VIEW ugc.film_views_daily');
  sql('SYSTEM WAIT VIEW ugc.film_views_daily');
  expect(sql('SELECT day, viewers, completions FROM ugc.film_views_daily')).toBe('2026-11-21\t100\t100');
});
