// What a user lacks, by what ClickHouse says of its grants.

import { expect, test } from 'bun:test';
import { lackingIn } from '../../../../src/adapters/clickhouse/ask/health.ts';

const wanted = ['SELECT', 'INSERT', 'CREATE', 'ALTER'];
const lacks = (...grants: readonly string[]) => lackingIn(grants, 'ugc', wanted);

test('everything, everywhere', () => {
  expect(lacks('GRANT ALL ON *.* TO default WITH GRANT OPTION')).toEqual([]);
  expect(lacks('GRANT SHOW, SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE ON *.* TO default')).toEqual([]);
});

test('in this database, in several grants, with columns in parentheses', () => {
  expect(lacks('GRANT SELECT(a, b) ON ugc.click TO u', 'GRANT INSERT ON `ugc`.* TO u')).toEqual(['CREATE', 'ALTER']);
  expect(lacks('GRANT SELECT, INSERT, CREATE TABLE ON ug*.* TO u')).toEqual(['ALTER']);
});

test('a temporary table is none that stays', () => {
  expect(lacks('GRANT SELECT, INSERT, ALTER ON ugc.* TO u', 'GRANT CREATE TEMPORARY TABLE ON *.* TO u')).toEqual([
    'CREATE',
  ]);
});

test('nothing, and nothing here', () => {
  expect(lacks()).toEqual(wanted);
  expect(lacks('GRANT ALL ON other.* TO u', 'GRANT admin TO u')).toEqual(wanted);
  expect(lacks('GRANT SELECT ON ugc2.* TO u')).toContain('SELECT');
});
