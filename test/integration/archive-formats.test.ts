// Files of the archive held together with what is in ClickHouse: whatever the edge accepts comes back from a file as the
// same body, byte for byte, and ClickHouse reads from the file the row it would have made of the body. For every type of
// the catalogue, and for every kind of field.

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue, catalogueOf } from '../../schemas/catalogue.ts';
import { clickhouseCsvColumns, clickhouseCsvSelect } from '../../schemas/hive.ts';
import { tableOf } from '../../schemas/table.ts';
import { csvFormat } from '../../src/adapters/csv/format.ts';
import { parquetFormat } from '../../src/adapters/parquet/format.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import type { RowFormat } from '../../src/ports/row-format.ts';
import type { TableDefinition } from '../../src/ports/tables.ts';
import { parseJson } from '../../src/record/json.ts';
import { anyEventOf, jsonOf } from '../support/any-event.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { everyKind } from '../support/every-kind.ts';
import { randomOf } from '../support/random.ts';

const local = engineInTest();
const { sql } = local;
const random = randomOf('archive-formats');
const all = catalogueOf([everyKind, ...catalogue.types]);
const nowMs = Date.parse('2026-11-21T12:00:00Z');
const judge = judgeOf({
  catalogue: all,
  topic: 'ugc.{event_type}',
  eventBytesMax: 1_048_576,
  jsonDepthMax: 16,
  eventAgeMaxDays: 1_825,
  eventFutureMaxHours: 24,
  unknownFields: 'reject',
});
const origin = {
  receivedAtMs: nowMs,
  source: 'key "1"',
  ip: '::1',
  userAgent: 'a\\b"\u{1f600}',
  pathType: null,
  sentAt: undefined,
};

const formats: Readonly<Record<string, RowFormat>> = {
  'parquet snappy': parquetFormat({ compression: 'snappy' }),
  'parquet zstd': parquetFormat({ compression: 'zstd' }),
  'parquet none': parquetFormat({ compression: 'none' }),
  csv: csvFormat(),
};

/** The file's rows in a table of ClickHouse, which reads it by itself. */
async function rowsRead(format: RowFormat, definition: TableDefinition, file: Uint8Array): Promise<string> {
  const names = definition.columns.map(({ name }) => `\`${name}\``).join(', ');
  const columns =
    format.name === 'csv'
      ? clickhouseCsvColumns(definition)
      : definition.columns.map(({ name, type }) => `\`${name}\` ${type}`).join(', ');
  await local.engine.query(`CREATE OR REPLACE TABLE default.read (${columns}) ENGINE = Memory`);
  await local.engine.insert(
    { into: 'INSERT INTO default.read', format: format.name === 'csv' ? 'CSV' : 'Parquet' },
    file,
  );
  const from = format.name === 'csv' ? `(${clickhouseCsvSelect(definition, 'default.read')})` : 'default.read';
  return sql(`SELECT ${names} FROM ${from} ORDER BY event_id FORMAT JSONEachRow`);
}

const decoded = async (format: RowFormat, definition: TableDefinition, file: Uint8Array): Promise<string> => {
  const parts: Uint8Array[] = [];
  for await (const part of format.decode(definition, file)) parts.push(part);
  return Buffer.concat(parts).toString();
};

/** Rows may be long: the first that differs will do. */
function firstDifference(read: string, wanted: string): object | null {
  const rows = [read, wanted].map(text => text.split('\n'));
  const at = rows[1]!.findIndex((row, index) => row !== rows[0]![index]);
  return at < 0 && read === wanted ? null : { read: rows[0]![at], wanted: rows[1]![at] };
}

const never = new AbortController().signal;

for (const type of all.types)
  test(`every ${type.name} the edge accepts is in a file what it is in the log and in ClickHouse`, async () => {
    const definition = tableOf(type);
    const numRuns = type === everyKind ? 1_000 : 60;
    const events = fc.sample(anyEventOf(type, nowMs), { numRuns, seed: random.between(0, 2 ** 31 - 1) });
    const bodies = [type.example, ...events].map(event => {
      const verdict = judge(parseJson(jsonOf(event)) as Record<string, unknown>, origin);
      if (!verdict.ok) throw new Error(`${jsonOf(event)} is rejected: ${jsonOf(verdict)}`);
      return `${verdict.envelope.body}\n`;
    });
    const { db, sink } = await local.prepared([definition]);
    const chunks = [Buffer.from(bodies.join(''))];
    await sink.insert({ type: type.name, rows: bodies.length, chunks }, 'all', never);
    const names = definition.columns.map(({ name }) => `\`${name}\``).join(', ');
    const wanted = await sql(`SELECT ${names} FROM ${db}.${type.name}_rows ORDER BY event_id FORMAT JSONEachRow`);
    expect(wanted.split('\n')).toHaveLength(bodies.length);
    for (const format of Object.values(formats)) {
      const file = format.encode(definition, chunks);
      expect(await decoded(format, definition, file)).toBe(bodies.join(''));
      // The same rows are the same bytes, however they are cut.
      const cut = random.between(0, chunks[0]!.length);
      expect(Buffer.from(format.encode(definition, [chunks[0]!.subarray(0, cut), chunks[0]!.subarray(cut)]))).toEqual(
        Buffer.from(file),
      );
      const read = await rowsRead(format, definition, file);
      expect(firstDifference(read, wanted)).toBeNull();
    }
  });
