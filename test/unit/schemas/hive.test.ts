// What Hive is told. That Hive understands it, every statement, and reads such files back to the character, was shown on
// Hive 4.0.1 with OpenCSVSerde; here is what was shown.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../../schemas/catalogue.ts';
import { csvHeader, hiveDdl } from '../../../schemas/hive.ts';
import { tableOf } from '../../../schemas/table.ts';
import { everyKind } from '../../support/every-kind.ts';

const ddl = hiveDdl(everyKind);
const viewOf = (name: string) => new RegExp(`^  (.+) AS \`${name}\`,$`, 'm').exec(ddl)?.[1];

describe('the Hive table of a type', () => {
  test('has the columns of its files, all of them text, in the order of the ClickHouse table', () => {
    for (const type of [everyKind, ...catalogue.types]) {
      const names = tableOf(type).columns.map(({ name }) => name);
      expect(csvHeader(type)).toBe(names.join(','));
      const declared = [...hiveDdl(type).matchAll(/^ {2}`(\w+)` string COMMENT/gm)].map(found => found[1]!);
      expect(declared).toEqual(names);
    }
  });

  test('escapes with what no field can hold, so that no backslash is lost', () => {
    expect(ddl).toContain(`'escapeChar'='\\n')`);
    expect(ddl).toContain(`LOCATION '\${hivevar:location}/every_kind'`);
  });

  test('says words about a column so that a client that cuts at semicolons does not cut there', () => {
    for (const type of catalogue.types) expect(hiveDdl(type).match(/;/g)).toHaveLength(2);
    expect(ddl).toContain("COMMENT 'it’s a field: -1 it’s");
  });
});

describe('its view gives each column its type', () => {
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
