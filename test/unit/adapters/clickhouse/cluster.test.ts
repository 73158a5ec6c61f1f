import { expect, test } from 'bun:test';
import { aggregates } from '../../../../schemas/aggregates.ts';
import { type FoundTable, planSchema } from '../../../../src/adapters/clickhouse/schema/plan.ts';
import { wantedSchema } from '../../../../src/adapters/clickhouse/schema/tables.ts';
import { seenTable } from '../../../support/rows.ts';

const schema = (cluster: string, retentionDays?: number) =>
  wantedSchema({
    database: 'ugc',
    cluster,
    tables: [{ ...seenTable, ...(retentionDays === undefined ? {} : { retentionDays }) }],
    embedded: false,
    aggregates,
  });
const wanted = schema('main-1');
const all = [...wanted.tables, ...wanted.views, ...wanted.aggregates];
const created = (name: string): string => all.find(item => item.name === name)!.create;

/** As system.tables has it after everything was made. */
function complete(): Map<string, FoundTable> {
  const found = new Map<string, FoundTable>();
  for (const { name, create, columns, sortingKey } of wanted.tables) {
    const engineFull = /ENGINE = ([\s\S]*)\nCOMMENT/.exec(create)![1]!.replaceAll('\n', ' ');
    found.set(name, {
      engine: /^\w+/.exec(engineFull)![0],
      engineFull,
      sortingKey: sortingKey ?? '',
      comment: '',
      columns: new Map(columns.map(column => [column.name, column.type])),
    });
  }
  const nothing = { engineFull: '', sortingKey: '', columns: new Map<string, string>() };
  for (const { name, comment } of wanted.views) found.set(name, { engine: 'View', comment, ...nothing });
  for (const { name, comment } of wanted.aggregates)
    found.set(name, { engine: 'MaterializedView', comment, ...nothing });
  return found;
}

test('on a cluster rows lie replicated on the shards, and are written and read through one table over them', () => {
  expect(wanted.tables.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
    'seen_local rows',
    'seen_rows distributed',
    'dead_letters_local rows',
    'dead_letters_rows distributed',
  ]);
  expect(created('seen_local')).toStartWith('CREATE TABLE IF NOT EXISTS `ugc`.`seen_local` ON CLUSTER `main-1` (\n');
  expect(created('seen_local')).toContain(
    "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', _version)\nORDER BY UUIDToNum(event_id)\nSETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 86400, fsync_after_insert = 1, fsync_part_directory = 1\n",
  );
  expect(created('seen')).toContain('FROM `ugc`.`seen_rows` FINAL');
});

test('repetitions meet on one shard: it is told by the key of a row alone', () => {
  expect(created('seen_rows')).toContain(
    "ENGINE = Distributed('main-1', 'ugc', 'seen_local', cityHash64(event_id))\nCOMMENT",
  );
  expect(created('dead_letters_rows')).toContain(
    "ENGINE = Distributed('main-1', 'ugc', 'dead_letters_local', cityHash64(topic, partition, position, index))\nCOMMENT",
  );
  expect(created('seen_rows')).not.toContain('_version'); // each shard counts it itself
});

test('everything is made on every node, the database first', () => {
  const { problems, statements } = planSchema(wanted, new Map());
  expect(problems).toEqual([]);
  expect(statements).toHaveLength(1 + all.length);
  for (const statement of statements) expect(statement.split('\n')[0]).toContain(' ON CLUSTER `main-1`');
});

test('one node gets the same without a word of clusters', () => {
  for (const { create } of [...schema('').tables, ...schema('').views, ...schema('').aggregates])
    expect(create).not.toMatch(/CLUSTER|Replicated|Distributed|_local/);
});

test('a complete cluster gets nothing, and a type’s retention is its nodes’', () => {
  expect(planSchema(wanted, complete())).toEqual({ problems: [], statements: [] });
  const [local, distributed] = schema('c', 30).tables.map(({ create }) => create) as [string, string];
  expect(local).toContain('\nTTL toDateTime(received_at) + toIntervalDay(30)\n');
  expect(distributed).not.toContain('TTL');
});

test('a missing column is added on every node, to the rows and to the table over them', () => {
  const found = complete();
  for (const name of ['seen_local', 'seen_rows']) {
    const { columns, ...rest } = found.get(name)!;
    found.set(name, { ...rest, columns: new Map([...columns].filter(([column]) => column !== 'seconds')) });
  }
  expect(planSchema(wanted, found).statements).toEqual([
    "ALTER TABLE `ugc`.`seen_local` ON CLUSTER `main-1` ADD COLUMN IF NOT EXISTS `seconds` Float64 COMMENT 'For how long' AFTER `user_id`",
    "ALTER TABLE `ugc`.`seen_rows` ON CLUSTER `main-1` ADD COLUMN IF NOT EXISTS `seconds` Float64 COMMENT 'For how long' AFTER `user_id`",
  ]);
});

test('rows of one node in the place of a cluster’s, and another cluster’s, are problems in words', () => {
  const found = complete();
  found.set('seen_rows', {
    ...found.get('seen_rows')!,
    engine: 'ReplacingMergeTree',
    engineFull: 'ReplacingMergeTree(_version) ORDER BY x',
  });
  const letters = found.get('dead_letters_rows')!;
  found.set('dead_letters_rows', { ...letters, engineFull: letters.engineFull.replace('main-1', 'other') });
  const { problems } = planSchema(wanted, found);
  expect(problems).toHaveLength(2);
  expect(problems[0]).toContain(
    "ugc.seen_rows is ReplacingMergeTree(_version) ORDER BY x, wanted Distributed('main-1'",
  );
  expect(problems[0]).toContain('RENAME TABLE ugc.seen_rows TO ugc.seen_rows_old');
  expect(problems[1]).toContain("wanted Distributed('main-1', 'ugc', 'dead_letters_local'");
});
