import { expect, test } from 'bun:test';
import { paramText } from '../../../../src/adapters/chdb/connection.ts';
import { quoteName, quoteText, readStatement, type Token } from '../../../../src/adapters/clickhouse/sql.ts';

const types: Readonly<Record<string, string>> = {
  ';': 'Semicolon',
  '(': 'OpeningRoundBracket',
  ')': 'ClosingRoundBracket',
  '.': 'Dot',
  ',': 'Comma',
};

/** As the engine's lexer would, for SQL simple enough. */
function tokensOf(sql: string): Token[] {
  return [...sql.matchAll(/\w+|`[^`]*`|'[^']*'|[^\s]/g)].map(({ 0: text, index }) => {
    const type = types[text] ?? (text.startsWith('`') ? 'QuotedIdentifier' : /^\w/.test(text) ? 'BareWord' : 'Other');
    return { type, text, end: index + text.length };
  });
}

const read = (sql: string) => readStatement(tokensOf(sql));

test('the verb is the first word, through brackets', () => {
  expect([read('select 1').verb, read('((SELECT 1))').verb, read('').verb]).toEqual(['SELECT', 'SELECT', '']);
});

test('an INSERT is cut into its parts: into, settings, format, data', () => {
  const cut = (sql: string) => {
    const parts = read(sql).insert;
    if (parts === null) return null;
    const { format, intoTo, settingsTo, dataFrom } = parts;
    return [sql.slice(0, intoTo), sql.slice(intoTo, settingsTo), format, sql.slice(dataFrom)];
  };
  expect(cut('INSERT INTO t (format, settings) SETTINGS x = 1 FORMAT CSV 1,2')).toEqual([
    'INSERT INTO t (format, settings) ',
    'SETTINGS x = 1 ',
    'CSV',
    ' 1,2',
  ]);
  expect(cut("insert into t values (1, 'x')")).toEqual(['insert into t ', '', 'Values', " (1, 'x')"]);
  expect(cut('INSERT INTO t FORMAT Values (1)')).toEqual(['INSERT INTO t ', '', 'Values', ' (1)']);
  expect(cut('INSERT INTO t FORMAT `CSV` 1')).toEqual(['INSERT INTO t ', '', 'CSV', ' 1']);
  expect(cut('INSERT INTO t FORMAT `CSV SELECT 1` 1')).toBeNull();
  expect(cut('INSERT INTO values SELECT 1')).toBeNull();
  expect(cut('INSERT INTO db.format SELECT 1')).toBeNull();
});

test('a FORMAT clause names the format of the answer', () => {
  expect(read('SELECT 1 FORMAT JSON SETTINGS a = 1').format).toBe('JSON');
  expect(read('SELECT 1').format).toBeNull();
});

test('a second statement is seen, also behind the rows of VALUES, and data is none', () => {
  expect(read('SELECT 1; SELECT 2').severalStatements).toBe(true);
  expect(read('INSERT INTO t VALUES (1); DROP TABLE t').severalStatements).toBe(true);
  expect(read('INSERT INTO t FORMAT CSV 1; 2').severalStatements).toBe(false);
  expect(read('SELECT 1;;').severalStatements).toBe(false);
});

test('what could touch files is named, in any disguise', () => {
  const touching = [
    "SELECT file('/etc/passwd')",
    "SELECT `file`('/etc/passwd')",
    'SELECT * APPLY file FROM t',
    'SELECT arrayMap(file, x)',
    "SELECT 1 INTO OUTFILE 'x'",
    "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    'SELECT `fi\\x6ce`(1)',
  ];
  for (const sql of touching) expect([sql, read(sql).touchesFiles === null]).toEqual([sql, false]);
  for (const sql of ["SELECT 'file(1)'", 'SELECT t.file AS file FROM t', 'SELECT outfile'])
    expect([sql, read(sql).touchesFiles]).toEqual([sql, null]);
});

test('an INSERT that selects from its data is seen, one that only selects is none', () => {
  expect(read("INSERT INTO t SELECT a FROM input('a Int8') FORMAT CSV 1").selectsFromData).toBe(true);
  const selects = read("INSERT INTO t SELECT * FROM values('a Int8', (1))");
  expect([selects.selectsFromData, selects.insert]).toEqual([false, null]);
});

test('names and texts are quoted so that they cannot end early', () => {
  expect([quoteName('a`b\\'), quoteText("a'b\\")]).toEqual(['`a\\`b\\\\`', "'a\\'b\\\\'"]);
});

test('parameters are written as ClickHouse’s HTTP interface takes them', () => {
  const values = ["a'b\t\\", 1.5, true, null, ['x', 1, null], { k: ['v'] }, new Date(1500), 12n];
  expect(values.map(value => paramText(value))).toEqual([
    "a\\'b\\t\\\\",
    '1.5',
    '1',
    '\\N',
    "['x',1,NULL]",
    "{'k':['v']}",
    '1.5',
    '12',
  ]);
});
