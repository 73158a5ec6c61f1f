// What the archive's files cost: the film mix encoded in this process in each format, and decoded again, beside the embedded
// engine that writes Parquet of the same NDJSON. CPU is that of the whole process, all its threads; the least of several runs.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../schemas/catalogue.ts';
import { tableOf } from '../schemas/table.ts';
import { loadAddon } from '../src/adapters/chdb/library.ts';
import { csvFormat } from '../src/adapters/csv/format.ts';
import { parquetFormat } from '../src/adapters/parquet/format.ts';
import { judgeOf } from '../src/catalogue/judge.ts';
import type { RowFormat } from '../src/ports/row-format.ts';
import type { TableDefinition } from '../src/ports/tables.ts';
import { clientEvent } from '../test/support/events.ts';
import { randomOf } from '../test/support/random.ts';
import type { Row } from './report.ts';

const rounds = 3;

interface Block {
  readonly definition: TableDefinition;
  readonly chunk: Buffer;
  readonly rows: number;
}

export async function archiveFormatsBench(events: number): Promise<Row[]> {
  const blocks = filmMix(events);
  const rows: Row[] = [];
  const formats: readonly (readonly [string, RowFormat])[] = [
    ['parquet, snappy', parquetFormat({ compression: 'snappy' })],
    ['parquet, zstd', parquetFormat({ compression: 'zstd' })],
    ['parquet, none', parquetFormat({ compression: 'none' })],
    ['csv', csvFormat()],
  ];
  for (const [what, format] of formats) {
    const files = blocks.map(({ definition, chunk }) => format.encode(definition, [chunk]));
    const bytes = files.reduce((sum, file) => sum + file.length, 0);
    const encoded = await least(async () => {
      for (const { definition, chunk } of blocks) format.encode(definition, [chunk]);
    });
    const decoded = await least(async () => {
      for (const [at, { definition }] of blocks.entries())
        for await (const part of format.decode(definition, files[at]!))
          if (part.length === 0) throw new Error('nothing');
    });
    rows.push(rowOf(what, blocks, { bytes, ...encoded }), {
      ...rowOf(`${what}, decoded`, blocks, { bytes, ...decoded }),
      'bytes per JSON byte': '',
    });
  }
  rows.push(await engineRow(blocks, 'snappy'), await engineRow(blocks, 'zstd'));
  return rows;
}

const sizesOf = (blocks: readonly Block[]) => ({
  events: blocks.reduce((sum, block) => sum + block.rows, 0),
  json: blocks.reduce((sum, block) => sum + block.chunk.length, 0),
});

function rowOf(what: string, blocks: readonly Block[], took: { bytes: number; cpuUs: number; wallUs: number }): Row {
  const { events, json } = sizesOf(blocks);
  return {
    what,
    'core-µs/event': took.cpuUs / events,
    'events/s': (events * 1_000_000) / took.wallUs,
    'bytes per JSON byte': took.bytes / json,
    note: `${events} events of ${Math.round(json / events)} B`,
  };
}

async function least(run: () => Promise<void>): Promise<{ cpuUs: number; wallUs: number }> {
  let best = { cpuUs: Number.POSITIVE_INFINITY, wallUs: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    Bun.gc(true);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await run();
    const wallUs = (performance.now() - start) * 1_000;
    const { user, system } = process.cpuUsage(cpu);
    best = { cpuUs: Math.min(best.cpuUs, user + system), wallUs: Math.min(best.wallUs, wallUs) };
  }
  return best;
}

/** As `clickhouse-local` would: one thread to parse and to encode, files to files. */
async function engineRow(blocks: readonly Block[], codec: string): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-bench-'));
  const addon = loadAddon();
  const connection = addon.CreateConnection(join(folder, 'data'), []);
  try {
    const settings = `SETTINGS output_format_parquet_compression_method = '${codec}', max_threads = 1, input_format_parallel_parsing = 0, output_format_parquet_parallel_encoding = 0, engine_file_truncate_on_insert = 1, input_format_json_read_objects_as_strings = 1, date_time_input_format = 'best_effort'`;
    const statements = await Promise.all(
      blocks.map(async ({ definition, chunk }) => {
        const from = join(folder, `${definition.type}.ndjson`);
        const to = join(folder, `${definition.type}.parquet`);
        await Bun.write(from, chunk);
        const structure = definition.columns
          .map(({ name, type }) => `\`${name}\` ${type.replaceAll("'", "\\'")}`)
          .join(', ');
        const sql = `INSERT INTO FUNCTION file('${to}', Parquet, '${structure}') SELECT * FROM file('${from}', JSONEachRow, '${structure}') ${settings}`;
        return { to, sql };
      }),
    );
    const took = await least(async () => {
      for (const { sql } of statements) addon.QueryWithConnection(connection, sql, 'Null');
    });
    const bytes = statements.reduce((sum, { to }) => sum + statSync(to).size, 0);
    return rowOf(`INSERT INTO FUNCTION file(… Parquet), ${codec}, of the embedded engine`, blocks, { bytes, ...took });
  } finally {
    addon.CloseConnection(connection);
    rmSync(folder, { recursive: true, force: true });
  }
}

function filmMix(events: number): readonly Block[] {
  const random = randomOf('archive-formats');
  const nowMs = Date.now();
  const judge = judgeOf({
    catalogue,
    topic: 'ugc.{event_type}',
    eventBytesMax: 65_536,
    jsonDepthMax: 16,
    eventAgeMaxDays: 1_825,
    eventFutureMaxHours: 24,
    unknownFields: 'reject',
  });
  const lines = new Map<string, string[]>();
  for (let at = 0; at < events; at++) {
    const verdict = judge(clientEvent(random, nowMs), {
      ...{ receivedAtMs: nowMs + at, source: 'web', ip: `10.0.${random.between(0, 20)}.${random.between(0, 255)}` },
      ...{ userAgent: agents[random.between(0, agents.length - 1)]!, pathType: null, sentAt: undefined },
    });
    if (!verdict.ok) throw new Error(JSON.stringify(verdict));
    const { type, body } = verdict.envelope;
    const known = lines.get(type) ?? [];
    lines.set(type, known);
    known.push(`${body}\n`);
  }
  return [...lines].map(([name, bodies]) => ({
    definition: tableOf(catalogue.find(name)!),
    chunk: Buffer.from(bodies.join('')),
    rows: bodies.length,
  }));
}

const agents = Array.from(
  { length: 40 },
  (_, at) =>
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${100 + at}.0.0.0 Safari/537.36`,
);
