// A type that has had several versions, through the real engine and the buffer's real file: what older binaries left in it
// becomes rows of today's shape, and what a newer one left waits for that one.

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue, catalogueOf } from '../../schemas/catalogue.ts';
import { defineEvent } from '../../schemas/event.ts';
import { tableOf } from '../../schemas/table.ts';
import { topicOf } from '../../schemas/topic.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { lettersIn } from '../../src/adapters/clickhouse/ask/letters.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { openBufferRepair } from '../../src/adapters/disk/inspect/operator.ts';
import { sqliteBuffer } from '../../src/adapters/disk/log/buffer.ts';
import { foreignJudgeOf } from '../../src/catalogue/foreign.ts';
import { replay } from '../../src/dead/replay.ts';
import { startMover } from '../../src/mover/loop.ts';
import { requeue } from '../../src/operate/buffer-requeue.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import type { Envelope } from '../../src/ports/log.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import type { JudgeForeign, Source } from '../../src/ports/source.ts';
import type { AggregateDefinition } from '../../src/ports/tables.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { judgeOptions, nowMs } from '../support/edge.ts';
import { batchOf, listSource } from '../support/list-source.ts';
import { moverMetrics, quietLogger } from '../support/quiet.ts';
import { eventually } from '../support/ugc.ts';
import { type Binary, binaryOf, booking, opening, wideUser } from '../support/versions.ts';

const [first, second, third] = [binaryOf(1), binaryOf(2), binaryOf(3)];
const origin = { receivedAtMs: nowMs - 86_400_000, source: 'web', ip: '10.0.0.1', userAgent: 'old' };

let local: TemporaryEngine;
let databases = 0;
let database = '';
let path = '';
const closing: (() => Promise<unknown>)[] = [];

beforeAll(() => {
  local = temporaryEngine();
});
afterAll(() => local[Symbol.asyncDispose]());
beforeEach(() => {
  database = `upgrades_${++databases}`;
  path = join(mkdtempSync(join(tmpdir(), 'ugc-upgrades-')), 'buffer.sqlite');
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(join(path, '..'), { recursive: true });
});

const client = () => clickhouseClient({ connection: chdbConnection(local.engine) });

const rowsOf = async (query: string): Promise<unknown[]> =>
  (await local.engine.query(query, { format: 'JSONEachRow' })).bytes
    .toString()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as unknown);

const bookings = (): Promise<unknown[]> =>
  rowsOf(`SELECT toUInt32(right(toString(event_id), 4)) AS at, schema_version AS v, seat, hall_name AS hall, toString(user_id) AS user
    FROM ${database}.seat_booked ORDER BY at`);
const booked = (at: number, seat: number, hall = 'unknown') => ({ at, v: 3, seat, hall, user: String(wideUser) });

/** The tables as a binary makes them, and aggregates over them. */
async function sinkOf(
  binary: Pick<Binary, 'catalogue'>,
  migrate: 'auto' | 'off' = 'auto',
  kept: readonly AggregateDefinition[] = [],
): Promise<SinkWithDeadLetters> {
  const tables = binary.catalogue.types.map(tableOf);
  const options = { client: client(), database, tables, migrate, timeoutMs: 20_000, embedded: true };
  const sink = clickhouseSink({ ...options, aggregates: kept, refreshSeconds: 100_000 });
  await sink.prepare();
  return sink;
}

const judgeOf = (binary: Pick<Binary, 'catalogue'>): JudgeForeign =>
  foreignJudgeOf({ ...judgeOptions, catalogue: binary.catalogue, bodyBytesMax: 2 ** 20, now: () => nowMs });

const moverOptions = {
  blockRowsMax: 1_000,
  blockBytesMax: 2 ** 22,
  intervalMs: 0,
  graceMs: 1_000,
  logger: quietLogger,
  metrics: moverMetrics,
};

/** The mover of a binary; it is stopped at the end of the test, if not before. */
function move({ types, catalogue }: Pick<Binary, 'types' | 'catalogue'>, source: Source, sink: SinkWithDeadLetters) {
  const mover = startMover({ ...moverOptions, source, sink, deadLetters: sink, types, judge: judgeOf({ catalogue }) });
  closing.push(() => mover.stop());
  return mover;
}

async function open(): Promise<DiskBuffer> {
  const buffer = await sqliteBuffer({ path, bytesMax: 2 ** 26, diskReserveBytes: 0 });
  closing.push(() => buffer.close());
  return buffer;
}

/** What an older process left behind, whose mover was never fast enough. */
async function left(...appended: Envelope[][]): Promise<void> {
  const buffer = await sqliteBuffer({ path, bytesMax: 2 ** 26, diskReserveBytes: 0 });
  buffer.source('etl');
  for (const envelopes of appended) await buffer.append(envelopes);
  await buffer.close();
}

const isDrained = (buffer: DiskBuffer) => async (): Promise<boolean> => (await buffer.stats()).events === 0;

test('what binaries of two older versions left in the buffer is rows of today’s shape, beside what is new', async () => {
  await left([first.edge(booking(1, { chair: '12' }), origin), first.edge(booking(2, { chair: '13' }), origin)]);
  await left([second.edge(booking(3, { seat: 14 }), origin), second.edge(opening(9))]);
  const buffer = await open();
  move(third, buffer.source('etl'), await sinkOf(third));
  await buffer.append([third.edge(booking(4, { seat: 15, hall: 2 }), origin)]);
  await eventually(isDrained(buffer), { what: 'the buffer is empty' });
  expect(await bookings()).toEqual([booked(1, 12), booked(2, 13), booked(3, 14), booked(4, 15, 'blue')]);
  const stamps = `SELECT DISTINCT toString(received_at) AS at, source, toString(ip) AS ip, user_agent AS agent,
    toString(timestamp) AS happened FROM ${database}.seat_booked`;
  expect(await rowsOf(stamps)).toEqual([
    {
      at: '2026-11-20 12:00:00.000',
      source: 'web',
      ip: '10.0.0.1',
      agent: 'old',
      happened: '2026-11-21 11:59:59.123',
    },
  ]);
  expect(await rowsOf(`SELECT count() AS n FROM ${database}.dead_letters`)).toEqual([{ n: 0 }]);
});

test('rows there are stay as they were written; what an upgrade reads again after a crash is one row, of today', async () => {
  const log = [1, 2].map(at => first.edge(booking(at, { chair: String(at) }), origin).body);
  const records = [batchOf({ topic: 't', type: 'seat_booked', version: 1, bodies: log })];
  // The old one inserts both, and dies before it commits the second.
  const old = listSource([...records]);
  const mover = move(first, old, await sinkOf(first));
  await eventually(() => old.committed.get('t/0') === 1, { what: 'both are rows' });
  await mover.stop();
  const again = listSource([batchOf({ topic: 't', type: 'seat_booked', version: 1, bodies: log.slice(1) }, 1)]);
  move(third, again, await sinkOf(third));
  await eventually(() => again.committed.get('t/0') === 1, { what: 'the second is read again' });
  expect(await bookings()).toEqual([{ ...booked(1, 0), v: 1 }, booked(2, 2)]);
});

test('what a newer binary left waits, loses nothing, and goes on when that one is back; other topics do not wait', async () => {
  await left(
    [second.edge(booking(1, { seat: 12 })), second.edge(opening(8))],
    [third.edge(booking(2, { seat: 13, hall: 1 })), third.edge(opening(9))],
  );
  const tables = await sinkOf(third);
  const buffer = await open();
  const mover = move(second, buffer.source('etl'), await sinkOf(second, 'off'));
  await eventually(async () => (await buffer.stats()).events === 1, { what: 'all but one is moved' });
  const topic = topicOf(judgeOptions.topic, third.type);
  expect([...mover.halted()]).toEqual([
    [`topic ${topic}`, 'seat_booked of version 3 was written by a newer ugc, this one knows 2: upgrade this one'],
  ]);
  await mover.stop();
  await buffer.close();
  expect(await rowsOf(`SELECT count() AS n FROM ${database}.seat_booked`)).toEqual([{ n: 1 }]);

  const reopened = await open();
  move(third, reopened.source('etl'), tables);
  await eventually(isDrained(reopened), { what: 'the buffer is empty' });
  expect(await bookings()).toEqual([{ ...booked(1, 12), v: 2 }, booked(2, 13, 'red')]);
  expect(await rowsOf(`SELECT count() AS n FROM ${database}.dead_letters`)).toEqual([{ n: 0 }]);
});

test('records of several versions requeued from quarantine at once are each read as what they are', async () => {
  const envelopes = [
    third.edge(booking(2, { seat: 13, hall: 1 }), origin), // a run begun by it is not asked record by record
    first.edge(booking(1, { chair: '12' }), origin),
    second.edge(booking(3, { seat: 14 }), origin),
    first.edge(booking(4, { chair: '15' }), origin),
  ];
  const buffer = await open();
  const source = buffer.source('etl');
  await buffer.setAside(
    envelopes.map(({ topic, type, body }, at) => ({
      topic,
      type,
      body,
      position: at + 1,
      index: 0,
      log: '',
      reason: 'Kafka',
    })),
  );
  const repair = openBufferRepair({ path, bytesMax: 2 ** 26, diskReserveBytes: 0 }, () => {});
  closing.push(async () => repair.close());
  const options = { topic: '', reason: '', json: true, topicOf: () => null };
  expect(await requeue(repair, repair, options)).toBe(0);
  move(third, source, await sinkOf(third));
  await eventually(isDrained(buffer), { what: 'the buffer is empty' });
  expect(await bookings()).toEqual([booked(1, 12), booked(2, 13, 'red'), booked(3, 14), booked(4, 15)]);
});

test('an old record its upgrade cannot take is a dead letter, and a row once the upgrade is mended; a newer one stays', async () => {
  const sink = await sinkOf(third);
  const bodies = [first.edge(booking(1, { chair: 'A12' }), origin).body];
  const source = listSource([batchOf({ topic: 't', type: 'seat_booked', version: 1, bodies })]);
  await sink.deadLetter(
    [
      {
        topic: 't',
        partition: 0,
        position: 77,
        index: 0,
        log: '',
        reason: 'refused',
        detail: 'x',
        raw: Buffer.from(third.edge(booking(2, { seat: 1, hall: 1 })).body.replace('_version":3', '_version":4')),
        atMs: nowMs,
        failedAtMs: nowMs,
      },
    ],
    new AbortController().signal,
  );
  move(third, source, sink);
  await eventually(() => source.committed.get('t/0') === 0, { what: 'it is dead-lettered' });
  const reasons = await rowsOf(`SELECT reason, detail FROM ${database}.dead_letters WHERE position = 0`);
  expect(reasons).toEqual([{ reason: 'invalid', detail: expect.stringContaining('/seat expected a whole number') }]);

  const mended = defineEvent({
    ...third.type,
    upgrades: {
      ...third.type.upgrades,
      1: {
        about: 'x',
        apply: ({ chair, ...record }) => ({ ...record, seat: Number(String(chair).replace(/\D/g, '')) }),
      },
    },
  });
  const judge = judgeOf({ catalogue: catalogueOf([mended]) });
  const letters = lettersIn(client(), database);
  const { rows, stays } = await replay({ letters, sink, judge, filter: {}, dryRun: false });
  expect([[...rows], [...stays]]).toEqual([[['seat_booked', 1]], [['newer', 1]]]);
  expect(await bookings()).toEqual([booked(1, 12)]);
});

test('views and an aggregate of an older ugc are made anew in place, over the rows there are', async () => {
  const sink = await sinkOf({ catalogue }, 'auto', aggregates);
  const types = new Map(catalogue.types.map(({ name, version }) => [name, version]));
  const event = { event_type: 'film_watched', event_id: Bun.randomUUIDv7(), timestamp: '2026-11-21T11:00:00Z' };
  const about = { user_id: null, anonymous_id: 'v', country: 'US', device: 'tv', video_id: 'f1', duration: 60 };
  const source = listSource([
    batchOf({ topic: 't', type: 'film_watched', bodies: [JSON.stringify({ ...event, ...about })] }),
  ]);
  move({ types, catalogue }, source, sink);
  await eventually(() => source.committed.get('t/0') === 0, { what: 'the row' });

  // As they were before they had a person and a film of one name.
  const old = [
    `CREATE OR REPLACE VIEW ${database}.film_watched (event_id UUID, user_id Nullable(String), video_id String)
     AS SELECT event_id, user_id, video_id FROM ${database}.film_watched_rows FINAL COMMENT 'A film (ugc old)'`,
    `CREATE OR REPLACE VIEW ${database}.events (event_id UUID, event_type LowCardinality(String))
     AS SELECT event_id, event_type FROM ${database}.film_watched_rows FINAL COMMENT 'Every event (ugc old)'`,
    `DROP VIEW ${database}.film_views_daily SYNC`,
    `CREATE MATERIALIZED VIEW ${database}.film_views_daily REFRESH AFTER 300 SECOND (day Date, watch_seconds Float64)
     ENGINE = MergeTree ORDER BY day AS SELECT toDate(timestamp) AS day, sum(duration) AS watch_seconds
     FROM ${database}.film_watched_rows FINAL GROUP BY day COMMENT 'Views of each film (ugc old)'`,
  ];
  for (const statement of old) await local.engine.query(statement);
  await expect(rowsOf(`SELECT person FROM ${database}.events`)).rejects.toThrow('person');
  await sinkOf({ catalogue }, 'auto', aggregates);
  expect(await rowsOf(`SELECT person, film_id FROM ${database}.film_watched`)).toEqual([
    { person: 'v', film_id: 'f1' },
  ]);
  expect(await rowsOf(`SELECT person, JSONExtractString(fields, 'film_id') AS film FROM ${database}.events`)).toEqual([
    { person: 'v', film: 'f1' },
  ]);
  await local.engine.query(`SYSTEM REFRESH VIEW ${database}.film_views_daily`);
  await local.engine.query(`SYSTEM WAIT VIEW ${database}.film_views_daily`);
  expect(await rowsOf(`SELECT film_id, viewers, completed_seconds FROM ${database}.film_views_daily`)).toEqual([
    { film_id: 'f1', viewers: 1, completed_seconds: 60 },
  ]);
});
