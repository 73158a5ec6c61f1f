import { expect, test } from 'bun:test';
import { catalogue } from '../../../../schemas/catalogue.ts';
import { tableOf } from '../../../../schemas/table.ts';
import { planSchema } from '../../../../src/adapters/clickhouse/schema/plan.ts';
import { tell } from '../../../../src/adapters/clickhouse/schema/prepare.ts';
import { wantedSchema } from '../../../../src/adapters/clickhouse/schema/tables.ts';

function told(statements: readonly string[]): { readonly level: string; readonly message: string }[] {
  const lines: { readonly level: string; readonly message: string }[] = [];
  const at = (level: string) => (_: object, message: string) => void lines.push({ level, message });
  tell({ debug: at('debug'), info: at('info') }, 'ugc', statements);
  return lines;
}

test('all that a first start makes is one line, and each statement at debug', () => {
  const wanted = wantedSchema({ database: 'ugc', tables: catalogue.types.map(tableOf), embedded: true });
  const { statements } = planSchema(wanted, new Map());
  const lines = told(statements);
  const views = wanted.views.length + wanted.aggregates.length;
  expect(lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
    `making ${wanted.tables.length} tables and ${views} views in ClickHouse's database ugc`,
  ]);
  expect(lines).toHaveLength(1 + statements.length);
});

test('what changes a table with rows in it is a line of its own', () => {
  const lines = told(['CREATE VIEW v', 'ALTER TABLE t ADD COLUMN c', 'DROP VIEW w']);
  expect(lines.map(({ level }) => level)).toEqual(['info', 'debug', 'info', 'info']);
});
