// Records nobody can parse, in the middle of good ones, from a log into the real engine: exactly the bad ones are dead
// letters, byte for byte, and no good one is late because of them.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { derivedId, foreignJudgeOf } from '../../src/catalogue/foreign.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import { startMover } from '../../src/mover/loop.ts';
import type { RowBlock, SinkWithDeadLetters } from '../../src/ports/sink.ts';
import type { PositionedBatch } from '../../src/ports/source.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { click, film, judgeOptions, nowMs, originOf } from '../support/edge.ts';
import { acked, batchOf, type ListSource, listSource } from '../support/list-source.ts';
import { moverMetrics, quietLogger } from '../support/quiet.ts';
import { until } from '../support/until.ts';

let local: TemporaryEngine;
let sink: SinkWithDeadLetters;
/** Blocks the sink was given, in order, whatever became of them. */
const inserts: RowBlock[] = [];

beforeAll(async () => {
  local = temporaryEngine();
  const real = clickhouseSink({
    client: clickhouseClient({ connection: chdbConnection(local.engine) }),
    database: 'poison',
    tables: catalogue.types.map(tableOf),
    migrate: 'auto',
    timeoutMs: 20_000,
    embedded: true,
  });
  sink = {
    ...real,
    insert: (block, token, signal) => {
      inserts.push(block);
      return real.insert(block, token, signal);
    },
  };
  await sink.prepare();
});
afterAll(() => local[Symbol.asyncDispose]());

const rowsOf = async <Row>(query: string): Promise<Row[]> =>
  (await local.engine.query(query, { format: 'JSONEachRow' })).bytes
    .toString()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row);

const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** Value and reason of each bad record. */
const poison: readonly [Uint8Array | null, string][] = [
  [null, 'tombstone'],
  [new Uint8Array(), 'not_json'],
  [Buffer.from('{"event_type":"click","timestamp":"2026-11-21T11:59'), 'not_json'],
  [Buffer.from('\n\nDROP DATABASE poison\n'), 'not_json'],
  [Uint8Array.from({ length: 512 }, (_, at) => at), 'not_utf8'],
  [text(['click']), 'invalid'],
  [text('click'), 'invalid'],
  [text({ ...click, element: 7 }), 'invalid'],
  [text({ ...film, duration: '3660' }), 'invalid'],
  [text({ ...film, duration: -1 }), 'invalid'],
  [Buffer.from(JSON.stringify(film).replace('3660', '1e999')), 'invalid'],
  [text({ ...click, timestamp: '2026-02-31T00:00:00Z' }), 'invalid'],
  [text({ ...click, timestamp: '0000-01-01T00:00:00Z' }), 'too_old'],
  [text({ ...click, timestamp: '9999-01-01T00:00:00Z' }), 'in_future'],
  [text({ ...click, event_type: 'clicked_too_much' }), 'unknown_type'],
  [text({ ...click, properties: { a: 'x'.repeat(5_000_000) } }), 'too_large'],
  [text({ ...click, properties: { a: 'x'.repeat(100_000) } }), 'too_large'],
  [Buffer.from(`{"event_type":"click","properties":${'['.repeat(5_000)}${']'.repeat(5_000)}}`), 'invalid'],
  [Buffer.from(JSON.stringify(click).replace('play', '\\ud800')), 'invalid'],
];

const ids = poison.map((_, at) => `0190a000-0000-7000-8000-${String(at).padStart(12, '0')}`);

/** A good record before and after each bad one; every third says no id, every fourth is spread over lines. */
const values: readonly (Uint8Array | null)[] = poison.flatMap(([bad], at) => [
  Buffer.from(JSON.stringify({ ...click, event_id: ids[at] }, null, at % 4 === 0 ? 2 : 0)),
  bad,
  text(at % 3 === 0 ? film : { ...film, event_id: ids[at] }),
]);
const first = 1_000;

/** As Kafka gives them: runs of lines, and what is no line alone. `cuts` end a run wherever they are. */
function foreignBatches(...cuts: number[]): PositionedBatch[] {
  const batches: PositionedBatch[] = [];
  let run: string[] = [];
  const place = { topic: 'others', partition: 1, type: null, oldestAtMs: nowMs - 1_000 };
  const flush = (end: number): void => {
    if (run.length > 0) batches.push(batchOf({ ...place, bodies: run }, end - run.length));
    run = [];
  };
  for (const [at, value] of values.entries()) {
    const position = first + at;
    const line = value === null ? null : Buffer.from(value).toString('latin1');
    if (line === null || line.includes('\n') || cuts.includes(at)) flush(position);
    if (line !== null && !line.includes('\n')) run.push(line);
    else {
      const form = value === null ? 'null' : 'raw';
      const ndjson = value ?? new Uint8Array();
      batches.push(acked({ ...place, first: position, last: position, count: 1, ndjson, form }));
    }
  }
  flush(first + values.length);
  return batches.map(batch =>
    batch.form ? batch : { ...batch, ndjson: Buffer.from(batch.ndjson.toString(), 'latin1') },
  );
}

const lastPosition = first + values.length - 1;

async function moved(source: ListSource): Promise<void> {
  const mover = startMover({
    source,
    sink,
    deadLetters: sink,
    types: new Map(catalogue.types.map(({ name, version }) => [name, version])),
    judge: foreignJudgeOf({ ...judgeOptions, catalogue, bodyBytesMax: 2 * 2 ** 20, now: () => nowMs }),
    blockRowsMax: 1_000,
    blockBytesMax: 2 ** 23,
    intervalMs: 0,
    graceMs: 1_000,
    logger: quietLogger,
    metrics: moverMetrics,
  });
  await until(() => source.committed.get('others/1') === lastPosition, 'all is committed');
  await mover.stop();
}

const filmIds = values
  .flatMap((value, at) => {
    if (at % 3 !== 2) return [];
    const { event_id: id } = JSON.parse(Buffer.from(value!).toString()) as { event_id?: string };
    return [id ?? derivedId({ position: first + at, value: value! }, 'others', 1, film.timestamp)];
  })
  .toSorted();

async function expectAll(): Promise<void> {
  expect((await rowsOf<{ id: string }>('SELECT event_id AS id FROM poison.click ORDER BY id')).map(r => r.id)).toEqual(
    ids,
  );
  const films = await rowsOf<{ id: string }>('SELECT toString(event_id) AS id FROM poison.film_watched ORDER BY id');
  expect(films.map(({ id }) => id)).toEqual(filmIds);
  const letters = await rowsOf<Record<string, unknown>>(
    `SELECT position, index, reason, detail != '' AS told, lower(hex(MD5(raw))) AS raw, toUnixTimestamp64Milli(recorded_at) AS at
     FROM poison.dead_letters ORDER BY position SETTINGS output_format_json_quote_64bit_integers = 0`,
  );
  expect(letters).toEqual(
    poison.map(([value, reason], at) => ({
      position: first + at * 3 + 1,
      index: 0,
      reason,
      told: 1,
      raw: new Bun.CryptoHasher('md5').update(value ?? '').digest('hex'),
      at: nowMs - 1_000,
    })),
  );
}

test('exactly the bad records are dead letters, the good ones are rows at the first try', async () => {
  await moved(listSource(foreignBatches(20)));
  await expectAll();
  const rows = inserts.reduce((sum, block) => sum + block.rows, 0);
  expect(rows).toBe(poison.length * 2); // no block was refused and sent again
});

test('reading the log again, cut in other places, changes nothing', async () => {
  await moved(listSource(foreignBatches(7, 8, 30, 33)));
  await expectAll();
});

test('one bad record among the edge’s own costs the good ones of its block one retry', async () => {
  const judge = judgeOf(judgeOptions);
  const { element: _, ...page } = click;
  const bodies = Array.from({ length: 200 }, () => {
    const verdict = judge({ ...page, event_type: 'page_view', page_url: '/' }, originOf());
    if (!verdict.ok) throw new Error(JSON.stringify(verdict));
    return verdict.envelope.body;
  });
  bodies.splice(77, 1, bodies[77]!.replace('"page_url":"/"', '"page_url":7x'));
  const before = inserts.length;
  const log = [
    acked({
      topic: 'others',
      partition: 1,
      first: lastPosition - 199,
      last: lastPosition,
      type: 'page_view',
      count: 200,
      oldestAtMs: nowMs,
      ndjson: Buffer.from(bodies.map(body => `${body}\n`).join('')),
    }),
  ];
  await moved(listSource(log));
  expect(inserts.slice(before).map(({ rows }) => rows)).toEqual([200, 199]);
  expect(
    await rowsOf("SELECT toUInt32(position) AS p, reason FROM poison.dead_letters WHERE reason = 'refused'"),
  ).toEqual([{ p: lastPosition - 199 + 77, reason: 'refused' }]);
});
