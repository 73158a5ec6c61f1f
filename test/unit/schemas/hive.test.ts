// What Hive is told. That Hive understands it, every statement, and reads such files back to the character, is shown on a real
// one (test/slow/hive.test.ts); here is what is told.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../../schemas/catalogue.ts';
import { columnsByPlace } from '../../../schemas/columns.ts';
import { csvHeader, hiveDdl, hiveStatements } from '../../../schemas/hive.ts';
import { tableOf } from '../../../schemas/table.ts';
import { everyKind } from '../../support/every-kind.ts';

const ddl = hiveDdl(everyKind, 'csv');
const viewOf = (name: string, of = ddl) => new RegExp(`^  (.+) AS \`${name}\`,$`, 'm').exec(of)?.[1];
const columnsIn = (statements: string) => [...statements.matchAll(/^ {2}`(\w+)` ([a-z<>]+) COMMENT/gm)];

describe('the Hive table of a type', () => {
  test('over Parquet has the columns of the ClickHouse table, each of its type', () => {
    for (const type of [everyKind, ...catalogue.types]) {
      const names = tableOf(type).columns.map(({ name }) => name);
      const [create] = hiveDdl(type).split('STORED AS PARQUET');
      expect(columnsIn(create!).map(([, name]) => name)).toEqual(names);
    }
    const types = Object.fromEntries(columnsIn(hiveDdl(everyKind)).map(([, name, type]) => [name, type]));
    expect(types).toMatchObject({
      ...{ event_id: 'string', received_at: 'timestamp', schema_version: 'int', a_byte: 'smallint', a_short: 'int' },
      ...{ a_count: 'bigint', a_signed: 'int', an_int64_or_null: 'bigint', an_amount: 'double', a_flag: 'boolean' },
      ...{ a_list: 'array<string>', an_object: 'string', a_number_of_words: 'tinyint', a_uuid_or_null: 'string' },
    });
  });

  test('over CSV has the columns of its files, all of them text, free JSON before what may still grow', () => {
    for (const type of [everyKind, ...catalogue.types]) {
      const names = columnsByPlace(tableOf(type)).map(({ name }) => name);
      expect(names.toSorted()).toEqual(
        tableOf(type)
          .columns.map(({ name }) => name)
          .toSorted(),
      );
      expect(names.indexOf('properties')).toBeLessThan(names.indexOf('user_id'));
      expect(csvHeader(type)).toBe(names.join(','));
      const declared = columnsIn(hiveDdl(type, 'csv'));
      expect(declared.map(([, name]) => name)).toEqual(names);
      expect(new Set(declared.map(([, , type]) => type))).toEqual(new Set(['string']));
    }
  });

  test('lies over its format, its type and its days', () => {
    for (const format of ['parquet', 'csv'] as const) {
      expect(hiveDdl(everyKind, format)).toContain(`LOCATION '\${hivevar:location}/${format}/every_kind'`);
      expect(hiveDdl(everyKind, format)).toContain('PARTITIONED BY (`dt` string');
    }
    const { addDays, grow } = hiveStatements(tableOf(everyKind), { format: 'parquet', database: 'd', location: 'x' });
    expect(addDays(['2026-11-01', '2026-11-02'])).toBe(
      "ALTER TABLE `d`.`every_kind_parquet` ADD IF NOT EXISTS PARTITION (`dt`='2026-11-01') PARTITION (`dt`='2026-11-02')",
    );
    expect(grow(tableOf(everyKind).columns.slice(0, 1))).toMatch(
      /^ALTER TABLE `d`.`every_kind_parquet` ADD COLUMNS \(\n {2}`event_id` string COMMENT '.*'\n\) CASCADE$/,
    );
  });

  test('escapes with what no field can hold, so that no backslash is lost', () => {
    expect(ddl).toContain(`'escapeChar'='\\n')`);
  });

  test('says words about a column so that a client that cuts at semicolons does not cut there', () => {
    for (const type of catalogue.types) {
      expect(hiveDdl(type).match(/;/g)).toHaveLength(5);
      expect(hiveDdl(type, 'csv').match(/;/g)).toHaveLength(6);
    }
    expect(ddl).toContain("COMMENT 'it’s a field: -1 it’s");
  });
});

describe('its view gives each column of CSV its type', () => {
  test.each([
    ['a_byte', 'cast(`a_byte` AS smallint)'],
    ['a_count', 'cast(`a_count` AS bigint)'],
    ['an_int64_or_null', 'cast(`an_int64_or_null` AS bigint)'],
    ['a_share', 'cast(`a_share` AS double)'],
    ['a_flag_or_null', "CASE `a_flag_or_null` WHEN 'true' THEN true WHEN 'false' THEN false END"],
    ['a_uuid', '`a_uuid`'],
    ['a_uuid_or_null', "nullif(`a_uuid_or_null`, '\\\\N')"],
    ['a_time_or_null', "cast(replace(replace(`a_time_or_null`, 'T', ' '), 'Z', '') AS timestamp)"],
    ['a_number_of_words', 'cast(`a_number_of_words` AS tinyint)'],
    ['a_text', "replace(replace(replace(`a_text`, '\\\\n', '\\n'), '\\\\r', '\\r'), '\\\\s', '\\\\')"],
  ])('%s', (name, sql) => {
    expect(viewOf(name)).toBe(sql);
  });

  test('text that may be null is null only as \\N', () => {
    expect(viewOf('a_word_or_null')).toStartWith("CASE `a_word_or_null` WHEN '\\\\N' THEN NULL ELSE replace(");
  });

  test('numbers that stand for words have the words, over either', () => {
    expect(viewOf('a_number_of_words_name')).toStartWith("CASE `a_number_of_words` WHEN '0' THEN 'none\\\\'");
    expect(viewOf('a_number_of_words_name', hiveDdl(everyKind))).toStartWith('CASE `a_number_of_words` WHEN 0 THEN');
  });
});

test('the escapes of text are undone to the character, whatever the text', () => {
  const written = (text: string) => text.replaceAll('\\', '\\s').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  const read = (field: string) => field.replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\s', '\\');
  const parts = fc.array(fc.constantFrom('\\', 'n', 'r', 's', 'N', '\n', '\r', 'x', '"', ','));
  fc.assert(
    fc.property(parts, units => {
      const text = units.join('');
      expect(read(written(text))).toBe(text);
      expect(written(text)).not.toMatch(/[\n\r]|^\\N$/);
    }),
    { numRuns: 1_000 },
  );
});
