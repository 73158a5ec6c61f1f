// What has gone wrong at others who move events into ClickHouse (their issues are named), tried on us: the mover and the
// real engine between a list of batches and faults in front of the sink.
//
// Elsewhere, by the same names of causes:
// - duplicates after a restart or rebalance (ClickHouse#7259, #6661), views that count them (ClickHouse#76110, GitLab
//   MR 219352): clickhouse-exact.test.ts, poison.test.ts, aggregates.test.ts
// - rejected rows that nobody can see (vector#23633): poison.test.ts, dead.test.ts; values clamped or replaced by defaults
//   (clickhouse_sinker): poison.test.ts, sink.contract.ts
// - a dead agent that looks healthy (fluent-bit#11847), one failing topic that stops all (ClickHouse#33433): loop.test.ts
// - partial blocks of a killed insert (ClickHouse#27667): sink.contract.ts (one part), sink.test.ts (killed server)
// - disk buffers that lose, wedge, grow or cannot be looked into (vector#25639, #25766, #25768, #25570, #19154, connect#2408,
//   connect#2757): the suites of adapters/sqlite and buffer.contract.ts; events lost while Kafka is down (posthog#28042,
//   #6631, #7905): the suites of the edge; commits after a revoke, to partitions of others, dropped resolved offsets
//   (connect#4009, kafkajs#1046, #1764, #28, kafka-connect#103, #132): the suites of adapters/kafka
// Cannot happen here: offsets stored beside the data that disagree with it (ClickHouse#65297, kafka-connect#384, #458:
// exactness does not rest on offsets), tokens of another run taken for ours (posthog#3247: tokens are never built from
// positions), per-partition insert limits of async inserts (there are none).

import { expect, test } from 'bun:test';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { PipelineError } from '../../src/errors.ts';
import { type Mover, startMover } from '../../src/mover/loop.ts';
import type { RowBlock, SinkWithDeadLetters } from '../../src/ports/sink.ts';
import type { PositionedBatch } from '../../src/ports/source.ts';
import { engineInTest } from '../support/engine-in-test.ts';
import { batchOf, type ListSource, listSource, versionOne } from '../support/list-source.ts';
import { moverMetrics, quietLogger, samplesOf, sharedMetrics } from '../support/quiet.ts';
import { seenBlock, seenLine, seenRows, seenTable } from '../support/rows.ts';
import { until } from '../support/until.ts';

const own = engineInTest();
const { sql } = own;
const never = new AbortController().signal;

async function prepared() {
  const settings: Record<string, unknown>[] = [];
  const connection = chdbConnection(own.engine);
  const client = clickhouseClient({
    connection: {
      ...connection,
      exec: params => {
        if (params.values !== undefined) settings.push(params.clickhouse_settings ?? {});
        return connection.exec(params);
      },
    },
  });
  const { db, sink } = await own.prepared([seenTable], client);
  return { db, sink, settings, count: (table = 'seen') => sql(`SELECT count() FROM ${db}.${table}`) };
}

interface Attempt {
  readonly token: string;
  readonly rows: number;
}

/** Moves `log`; `fault` stands in front of every insert and may throw, before or after it is done. */
function moving(
  sink: SinkWithDeadLetters,
  log: PositionedBatch[],
  fault: (insert: () => Promise<void>, attempt: Attempt) => Promise<void>,
) {
  const attempts: Attempt[] = [];
  const source: ListSource = listSource(log);
  const mover: Mover = startMover({
    source,
    sink: {
      ...sink,
      insert: (block: RowBlock, token, signal) => {
        const attempt = { token, rows: block.rows };
        attempts.push(attempt);
        return fault(() => sink.insert(block, token, signal), attempt);
      },
      close: async () => {},
    },
    deadLetters: sink,
    types: versionOne('seen'),
    judge: () => ({ ok: false, reason: 'unknown_type', detail: '' }),
    blockRowsMax: 10_000,
    blockBytesMax: 2 ** 23,
    intervalMs: 0,
    graceMs: 1_000,
    logger: quietLogger,
    metrics: moverMetrics,
  });
  return { source, mover, attempts };
}

const batch = (count: number, partition = 0, first = 0): PositionedBatch =>
  batchOf(
    { topic: 'seen', partition, type: 'seen', bodies: seenRows(count).map(row => seenLine(row).trimEnd()) },
    first,
  );

const isDone = ({ source }: { readonly source: ListSource }, last: number, partition = 0) =>
  source.committed.get(`seen/${partition}`) === last;

test('vector#26221, #24543: a missing table loses nothing and nothing is committed past it; it says so and goes on by itself', async () => {
  const { db, sink, count } = await prepared();
  await sql(`DROP TABLE ${db}.seen_rows SYNC`);
  const run = moving(sink, [batch(3), batch(4, 0, 3)], insert => insert());
  await until(() => run.mover.halted().size === 1, 'it is halted');
  expect(run.mover.halted().get('seen')).toMatch(/seen_rows.*needs repair.*60/s);
  expect(await samplesOf(sharedMetrics, 'ugc_etl_halted')).toMatchObject({ 'table=seen': 1 });
  expect(run.source.commits).toEqual([]);
  await sink.prepare();
  await until(() => isDone(run, 6), 'all is committed');
  expect(run.mover.halted().size).toBe(0);
  expect(await samplesOf(sharedMetrics, 'ugc_etl_halted')).toMatchObject({ 'table=seen': 0 });
  await run.mover.stop();
  expect([await count(), await count('dead_letters')]).toEqual(['7', '0']);
});

test('a table that somebody has made read-only is told of, loses nothing, and goes on by itself', async () => {
  const { db, sink, count } = await prepared();
  await sql(`ALTER TABLE ${db}.seen_rows MODIFY SETTING table_readonly = 1`);
  const run = moving(sink, [batch(3)], insert => insert());
  await until(() => run.mover.halted().size === 1, 'it is halted');
  expect(run.mover.halted().get('seen')).toMatch(/seen_rows.*needs repair.*774/s);
  expect(run.source.commits).toEqual([]);
  await sql(`ALTER TABLE ${db}.seen_rows MODIFY SETTING table_readonly = 0`);
  await until(() => isDone(run, 2), 'all is committed');
  await run.mover.stop();
  expect([await count(), await count('dead_letters')]).toEqual(['3', '0']);
});

test('clickhouse-sink-connector#1299, ClickHouse#5749: no position moves before its insert has been answered', async () => {
  const { sink } = await prepared();
  const gate = Promise.withResolvers<void>();
  const run = moving(sink, [batch(3)], async insert => {
    await insert();
    await gate.promise;
  });
  await until(() => run.attempts.length === 1, 'it inserts');
  await until(() => run.source.isPolling(), 'the mover has nothing else to do');
  expect(run.source.commits).toEqual([]);
  gate.resolve();
  await until(() => isDone(run, 2), 'it is committed');
  await run.mover.stop();
});

test('langfuse#13468, jitsu#1188, GlassFlow’s ten deliveries: a failure that lasts is outlasted', async () => {
  const { sink, count } = await prepared();
  let failures = 12;
  const run = moving(sink, [batch(5)], async insert => {
    if (failures-- > 0) throw new PipelineError(failures % 2 ? 'sink_overloaded' : 'sink_unknown', 'not today');
    await insert();
  });
  await until(() => failures <= 9, 'it is repeated');
  failures = 0;
  await until(() => isDone(run, 4), 'it is committed');
  await run.mover.stop();
  expect([await count(), await count('dead_letters')]).toEqual(['5', '0']);
});

test('kafka-connect#801: a repetition is the same block under the same token, and stores nothing again', async () => {
  const { sink, count } = await prepared();
  let lost = 3;
  const run = moving(sink, [batch(50)], async insert => {
    await insert();
    if (lost-- > 0) throw new PipelineError('sink_unknown', 'the answer is lost');
  });
  await until(() => isDone(run, 49), 'it is committed');
  await run.mover.stop();
  expect(new Set(run.attempts.map(({ token, rows }) => `${token} ${rows}`)).size).toBe(1);
  expect([run.attempts.length, await count(), await count('seen_rows')]).toEqual([4, '50', '50']);
});

test('kafka-connect#24, ClickHouse#83491: a zombie’s insert long after its token was forgotten is no second row', async () => {
  const { db, sink, count } = await prepared();
  await sql(`ALTER TABLE ${db}.seen_rows MODIFY SETTING non_replicated_deduplication_window = 2`);
  for (const verb of ['DETACH', 'ATTACH']) await sql(`${verb} TABLE ${db}.seen_rows`); // the window counts from now
  await sql(`SYSTEM STOP MERGES ${db}.seen_rows`);
  const block = seenBlock(...seenRows(10));
  await sink.insert(block, 'zombie', never);
  for (const token of ['a', 'b', 'c', 'd']) await sink.insert(seenBlock(...seenRows(1)), token, never);
  await sink.insert(block, 'zombie', never);
  expect([await count('seen_rows'), await count()]).toEqual(['24', '14']);
});

test('ClickHouse#111031, gitlab MR 219352: every insert is synchronous, in one piece, under a token used once', async () => {
  const { sink, settings } = await prepared();
  const run = moving(sink, [batch(3), batch(3, 1)], insert => insert());
  await until(() => isDone(run, 2) && isDone(run, 2, 1), 'both are committed');
  await run.mover.stop();
  for (const given of settings)
    expect(given).toMatchObject({ async_insert: 0, input_format_parallel_parsing: 0, max_insert_threads: '1' });
  const tokens = settings.map(given => given.insert_deduplication_token);
  expect(tokens).not.toContain(undefined);
  expect(new Set(tokens).size).toBe(tokens.length);
});

test('kafka-connect#658: many quiet partitions share few inserts', async () => {
  const { sink, count } = await prepared();
  const run = moving(
    sink,
    Array.from({ length: 45 }, (_, partition) => batch(2, partition)),
    insert => insert(),
  );
  await until(() => run.source.committed.size === 45, 'all is committed');
  await run.mover.stop();
  expect(run.attempts.length).toBeLessThanOrEqual(2);
  expect(await count()).toBe('90');
});

test('ClickHouse KB on views: one of somebody else’s that fails costs no row and no dead letter, and gets its rows once repaired', async () => {
  const { db, sink, count } = await prepared();
  await sql(`CREATE TABLE ${db}.theirs (n UInt8) ENGINE = MergeTree ORDER BY n`);
  await sql(
    `CREATE MATERIALIZED VIEW ${db}.bad TO ${db}.theirs AS SELECT toUInt8(event_type) AS n FROM ${db}.seen_rows`,
  );
  const run = moving(sink, [batch(5)], insert => insert());
  await until(() => run.mover.halted().size === 1, 'it is halted');
  expect(run.mover.halted().get('seen')).toMatch(/needs repair.*while pushing to view/s);
  expect(await count('dead_letters')).toBe('0');
  await sql(`ALTER TABLE ${db}.bad MODIFY QUERY SELECT toUInt8(length(event_type)) AS n FROM ${db}.seen_rows`);
  await until(() => isDone(run, 4), 'it is committed');
  await run.mover.stop();
  expect([await count(), await count('dead_letters'), await count('theirs')]).toEqual(['5', '0', '5']);
});

test('flexprice#2392, ClickHouse out of memory or parts: overload is no refusal, whatever it says of the rows', async () => {
  const { sink, count } = await prepared();
  const run = moving(sink, [batch(3)], async (insert, attempt) => {
    if (run.attempts.indexOf(attempt) < 2) throw new PipelineError('sink_overloaded', 'too many parts');
    await insert();
  });
  await until(() => isDone(run, 2), 'it is committed');
  await run.mover.stop();
  expect([run.mover.halted().size, await count(), await count('dead_letters')]).toEqual([0, '3', '0']);
});
