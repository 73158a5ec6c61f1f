import { describe, expect, test } from 'bun:test';
import { type FoundTable, leftoversIn, planSchema } from '../../../../src/adapters/clickhouse/schema/plan.ts';
import { wantedSchema } from '../../../../src/adapters/clickhouse/schema/tables.ts';
import type { TableDefinition } from '../../../../src/ports/tables.ts';

const about = 'it’s a column';
const table = (type: string, ...own: [string, string][]): TableDefinition => ({
  type,
  summary: `About ${type}`,
  columns: [
    { name: 'event_id', type: 'UUID', about },
    { name: 'received_at', type: "DateTime64(3, 'UTC')", about },
    { name: 'timestamp', type: "DateTime64(3, 'UTC')", about },
    ...own.map(([name, columnType]) => ({ name, type: columnType, about })),
  ],
});
const tables = [table('click', ['element', 'String']), table('seen', ['seconds', 'Float64'])];
const wanted = wantedSchema({ database: 'ugc', tables, embedded: false });
const created = (name: string) => [...wanted.tables, ...wanted.views].find(item => item.name === name)!.create;

/** The database after everything wanted was created. */
function complete(): Map<string, FoundTable> {
  const found = new Map<string, FoundTable>();
  for (const { name, create, columns, sortingKey } of wanted.tables)
    found.set(name, {
      engine: 'ReplacingMergeTree',
      engineFull: /ENGINE = ([\s\S]*)\nCOMMENT/.exec(create)![1]!.replaceAll('\n', ' '),
      sortingKey: sortingKey ?? '',
      comment: '',
      columns: new Map(columns.map(column => [column.name, column.type])),
    });
  for (const { name, comment } of wanted.views)
    found.set(name, { engine: 'View', engineFull: '', sortingKey: '', comment, columns: new Map() });
  return found;
}

const change = (found: Map<string, FoundTable>, name: string, changes: Partial<FoundTable>) =>
  found.set(name, { ...found.get(name)!, ...changes });

test('rows are keyed by their event_id alone, in the order of time, and the first received wins', () => {
  const sql = created('click_rows');
  expect(sql).toContain('ENGINE = ReplacingMergeTree(_version)\nORDER BY UUIDToNum(event_id)\n');
  expect(sql).toContain('`_version` UInt64 DEFAULT 18446744073709551615 - toUnixTimestamp64Milli(received_at)');
  expect(sql).toContain('INDEX timestamp_minmax timestamp TYPE minmax GRANULARITY 1');
  expect(sql).toContain('INDEX received_at_minmax received_at TYPE minmax GRANULARITY 1');
  expect(sql).toContain(
    'SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1\n',
  );
});

test('an insert is on disk before it is answered, on a server, too: the log forgets what was answered', () => {
  for (const embedded of [true, false])
    for (const { create } of wantedSchema({ database: 'ugc', tables, embedded }).tables)
      expect(create).toContain('fsync_after_insert = 1, fsync_part_directory = 1');
});

test('words about a column are quoted', () => {
  expect(wantedSchema({ database: 'ugc', tables: [table('a')], embedded: false }).tables[0]!.create).toContain(
    "COMMENT 'it’s a column'",
  );
  const quoted = { type: 'a', summary: "it's", columns: table('a').columns };
  expect(wantedSchema({ database: 'ugc', tables: [quoted], embedded: false }).tables[0]!.create).toContain("it\\'s.");
});

test('the exact view reads FINAL and hides the version', () => {
  expect(created('click')).toContain(
    'SELECT `event_id`, `received_at`, `timestamp`, `element`\nFROM `ugc`.`click_rows` FINAL',
  );
});

test('a view says what its columns are and mean, so that the engine need not work it out', () => {
  expect(created('click')).toContain("VIEW `ugc`.`click` (\n  `event_id` UUID COMMENT 'it’s a column',\n");
  expect(created('events')).toContain(
    "  `fields` String COMMENT 'What else its type has, a JSON object'\n)\nAS SELECT",
  );
});

test('numbers that stand for words are read with their words, in the type’s view and among the fields of events', () => {
  const words = { column: 'how_name', of: { [-1]: "it's", 2: 'two' } };
  const plain = table('plain');
  const login = { ...plain, type: 'login', columns: [...plain.columns, { name: 'how', type: 'Int8', about, words }] };
  const { views, tables: made } = wantedSchema({ database: 'ugc', tables: [login, plain], embedded: false });
  expect(made[0]!.create).toContain('`how` Int8 COMMENT');
  expect(made[0]!.create).not.toContain('how_name');
  expect(views[0]!.create).toContain(
    "`how`, CAST(transform(`how`, [2, -1], ['two', 'it\\'s'], ''), 'LowCardinality(String)') AS `how_name`\n",
  );
  expect(views.find(({ name }) => name === 'events')!.create).toContain(
    "'Tuple(`how` Int8, `how_name` LowCardinality(String))')) AS fields",
  );
});

test('what types have in common under different types is text in events', () => {
  const { views } = wantedSchema({
    database: 'ugc',
    tables: [table('a', ['user_id', 'Int64']), table('b', ['user_id', 'Nullable(String)'])],
    embedded: false,
  });
  const events = views.find(({ name }) => name === 'events')!;
  expect(events.create.match(/CAST\(`user_id`, 'Nullable\(String\)'\) AS `user_id`/g)).toHaveLength(2);
  expect(events.isOfAll).toBe(true);
});

test('events has what all types have, and the rest as JSON', () => {
  expect(created('events')).toContain(
    "SELECT `event_id`, `received_at`, `timestamp`, toJSONString(CAST(tuple(`element`), 'Tuple(`element` String)')) AS fields\nFROM `ugc`.`click_rows` AS own FINAL",
  );
});

const ids = [
  ['user_id', 'Int64'],
  ['anonymous_id', 'Nullable(String)'],
] satisfies [string, string][];
const personSql = "coalesce(nullIf(CAST(user_id, 'Nullable(String)'), ''), nullIf(anonymous_id, '')) AS `person`";

test('behind the ids stands the person, in a type’s view and in events', () => {
  const { views } = wantedSchema({
    database: 'ugc',
    tables: [table('a', ...ids), table('b', ...ids)],
    embedded: false,
  });
  for (const name of ['a', 'b', 'events'])
    expect(views.find(view => view.name === name)!.create).toContain(`\`anonymous_id\`, ${personSql}`);
  expect(created('click')).not.toContain('person');
});

test('a field called person goes before the derived one in the view of its type, and is among the fields of events', () => {
  const tables = [table('a', ...ids, ['person', 'UInt8']), table('b', ...ids)];
  const { views } = wantedSchema({ database: 'ugc', tables, embedded: false });
  const [a, , events] = views.map(({ create }) => create);
  expect(a).not.toContain('coalesce');
  expect(a).toContain('`anonymous_id`, `person`\nFROM');
  expect(events).toContain(`${personSql}, toJSONString(CAST(tuple(own.\`person\`), 'Tuple(\`person\` UInt8)'))`);
});

test('a column with another name to join by is read under both, and is among the fields of events under both', () => {
  const plain = table('plain');
  const film = { ...plain, columns: [...plain.columns, { name: 'video_id', type: 'String', about, alias: 'film_id' }] };
  const { views, tables: made } = wantedSchema({
    database: 'ugc',
    tables: [film, { ...plain, type: 'other' }],
    embedded: false,
  });
  expect(made[0]!.create).not.toContain('film_id');
  expect(views[0]!.create).toContain('`video_id`, `video_id` AS `film_id`\nFROM');
  expect(views.find(({ name }) => name === 'events')!.create).toContain('Tuple(`video_id` String, `film_id` String)');
});

test('a type whose tables would clash with others is a bug', () => {
  for (const type of ['events', 'dead_letters', 'click_rows', 'click_check', 'Click', ''])
    expect(() => wantedSchema({ database: 'ugc', tables: [table(type)], embedded: false })).toThrow('event type');
});

test('an empty database gets everything, the database first', () => {
  const { problems, statements } = planSchema(wanted, new Map());
  expect(problems).toEqual([]);
  expect(statements).toHaveLength(1 + wanted.tables.length + wanted.views.length);
  expect(statements[0]).toBe('CREATE DATABASE IF NOT EXISTS `ugc`');
});

test('a complete database gets nothing', () => {
  expect(planSchema(wanted, complete())).toEqual({ problems: [], statements: [] });
});

test('a missing column is added where it belongs, and views of another definition are made anew', () => {
  const found = complete();
  const without = new Map([...found.get('click_rows')!.columns].filter(([name]) => name !== 'element'));
  change(found, 'click_rows', { columns: without });
  change(found, 'click', { comment: 'About click (ugc old)' });
  const { statements } = planSchema(wanted, found);
  expect(statements).toEqual([
    "ALTER TABLE `ugc`.`click_rows` ADD COLUMN IF NOT EXISTS `element` String COMMENT 'it’s a column' AFTER `timestamp`",
    created('click'),
  ]);
});

test('tables that only older versions used go where nobody else can be using them', () => {
  const twin = { engine: 'Null', engineFull: '', sortingKey: '', comment: '', columns: new Map<string, string>() };
  const found = complete()
    .set('click_check', twin)
    .set('seen_check', { ...twin, engine: 'MergeTree' });
  const embedded = wantedSchema({ database: 'ugc', tables, embedded: true });
  expect(leftoversIn(embedded, found)).toEqual(['DROP TABLE IF EXISTS `ugc`.`click_check` SYNC']); // the other is somebody's
  expect(leftoversIn(wanted, found)).toEqual([]);
  expect(planSchema(wanted, found)).toEqual({ problems: [], statements: [] });
});

test('a column of another type is a problem that names table, column and both types', () => {
  const found = complete();
  const columns = new Map(found.get('seen_rows')!.columns).set('seconds', 'String');
  change(found, 'seen_rows', { columns });
  const { problems } = planSchema(wanted, found);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toStartWith('ugc.seen_rows: column seconds is String, wanted Float64. ');
  expect(problems[0]).toContain('RENAME TABLE ugc.seen_rows TO ugc.seen_rows_old');
});

test('another engine, another key and a table in the place of a view are problems', () => {
  const found = complete();
  change(found, 'click_rows', {
    engine: 'MergeTree',
    engineFull: 'MergeTree ORDER BY event_id',
    sortingKey: 'event_id',
  });
  change(found, 'seen', { engine: 'Memory' });
  const { problems } = planSchema(wanted, found);
  expect(problems.map(problem => problem.split('. ')[0])).toEqual([
    'ugc.click_rows has the engine MergeTree, wanted ReplacingMergeTree(_version)',
    'ugc.click_rows is ordered by (event_id), wanted (UUIDToNum(event_id))',
    'ugc.seen is a table (Memory), wanted a view: rename it, or use another database with UGC_CLICKHOUSE_DATABASE.',
  ]);
});

test('the types’ white space does not matter, nor do columns of others', () => {
  const found = complete();
  const columns = new Map(found.get('click_rows')!.columns)
    .set('timestamp', "DateTime64(3,'UTC')")
    .set('extra', 'Int8');
  change(found, 'click_rows', { columns });
  expect(planSchema(wanted, found)).toEqual({ problems: [], statements: [] });
});

const onDisk = 'fsync_after_insert = 1, fsync_part_directory = 1';

test('a table of an older ugc on a server has its inserts put on disk from now on', () => {
  const found = complete();
  change(found, 'click_rows', {
    engineFull: 'ReplacingMergeTree(_version) ORDER BY x SETTINGS non_replicated_deduplication_window = 1000',
  });
  expect(planSchema(wanted, found).statements).toEqual([`ALTER TABLE \`ugc\`.\`click_rows\` MODIFY SETTING ${onDisk}`]);
});

test('a table without a window of tokens gets one, and a longer one stays', () => {
  const found = complete();
  change(found, 'click_rows', { engineFull: 'ReplacingMergeTree(_version) ORDER BY UUIDToNum(event_id)' });
  change(found, 'seen_rows', {
    engineFull: `ReplacingMergeTree(_version) ORDER BY x SETTINGS non_replicated_deduplication_window = 50000, ${onDisk}`,
  });
  expect(planSchema(wanted, found).statements).toEqual([
    'ALTER TABLE `ugc`.`click_rows` MODIFY SETTING non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1',
  ]);
});

describe('retention', () => {
  const keeping = (retentionDays: number | undefined) =>
    wantedSchema({
      database: 'ugc',
      tables: [{ ...tables[0]!, ...(retentionDays && { retentionDays }) }],
      embedded: false,
    });
  const plan = (wantedDays: number | undefined, foundTtl: string) => {
    const found = complete();
    change(found, 'click_rows', {
      engineFull: `ReplacingMergeTree(_version) ORDER BY UUIDToNum(event_id)${foundTtl} SETTINGS non_replicated_deduplication_window = 1000, ${onDisk}`,
    });
    return planSchema(keeping(wantedDays), found).statements.filter(statement => !statement.includes('VIEW'));
  };
  const ttl = (days: number) => ` TTL toDateTime(received_at) + toIntervalDay(${days})`;

  test('is made with the table', () => {
    expect(keeping(90).tables[0]!.create).toContain(
      '\nORDER BY UUIDToNum(event_id)\nTTL toDateTime(received_at) + toIntervalDay(90)\nSETTINGS',
    );
    expect(keeping(undefined).tables[0]!.create).not.toContain('TTL');
  });

  test('of a table that is there is made longer, never shorter, and an operator’s own stays', () => {
    expect(plan(90, ttl(30))).toEqual([
      'ALTER TABLE `ugc`.`click_rows` MODIFY TTL toDateTime(received_at) + toIntervalDay(90)',
    ]);
    for (const [days, found] of [
      [90, ttl(90)],
      [90, ttl(365)],
      [90, ''],
      [undefined, ttl(30)],
      [undefined, ''],
      [90, ' TTL toDateTime(timestamp) + toIntervalDay(1)'],
    ] as const)
      expect(plan(days, found)).toEqual([]);
  });
});

test('a replicated table fits, without the window that is not for it', () => {
  const found = complete();
  change(found, 'click_rows', {
    engine: 'ReplicatedReplacingMergeTree',
    engineFull: "ReplicatedReplacingMergeTree('/path', '{replica}', _version) ORDER BY UUIDToNum(event_id)",
  });
  expect(planSchema(wanted, found)).toEqual({ problems: [], statements: [] });
});
