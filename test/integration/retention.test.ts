// Retention on the real engine: rows go after their time and not before, an event is never more than one row, and a
// longer time reaches a table that is there.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { defineEvent } from '../../schemas/event.ts';
import { text } from '../../schemas/field.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { planSchema } from '../../src/adapters/clickhouse/schema/plan.ts';
import { readSchema } from '../../src/adapters/clickhouse/schema/prepare.ts';
import { wantedSchema } from '../../src/adapters/clickhouse/schema/tables.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';

const seen = (retentionDays?: number) =>
  defineEvent({
    name: 'ad_seen',
    family: 'ads',
    stream: 'view',
    version: 1,
    summary: 'An advertisement was seen',
    ...(retentionDays === undefined ? {} : { retentionDays }),
    fields: { ad: text({ about: 'Which' }) },
    example: {},
  });

let temporary: TemporaryEngine;
beforeAll(() => {
  temporary = temporaryEngine();
});
afterAll(() => temporary[Symbol.asyncDispose]());

const client = () => clickhouseClient({ connection: chdbConnection(temporary.engine) });
const sinkOf = (retentionDays?: number) =>
  clickhouseSink({
    client: client(),
    database: 'ugc',
    tables: [tableOf(seen(retentionDays))],
    migrate: 'auto',
    timeoutMs: 60_000,
    embedded: true,
  });

const dayMs = 86_400_000;
const nowMs = Date.now();
const line = (id: string, ad: string, daysAgo: number): string => {
  const at = new Date(nowMs - daysAgo * dayMs).toISOString();
  return `{"event_id":"${id}","event_type":"ad_seen","schema_version":1,"received_at":"${at}","source":"","ip":"","user_agent":"","timestamp":"${at}","sent_at":null,"user_id":null,"anonymous_id":null,"country":"","device":"","ad":"${ad}","properties":{}}\n`;
};
const ads = async () => {
  const { bytes } = await temporary.engine.query('SELECT ad FROM ugc.ad_seen ORDER BY ad FORMAT TSV');
  return bytes.toString().trim().split('\n');
};
const engineOf = async () => {
  const { bytes } = await temporary.engine.query(
    "SELECT engine_full FROM system.tables WHERE database = 'ugc' AND name = 'ad_seen_rows' FORMAT TSVRaw",
  );
  return bytes.toString();
};

test('rows go after their time, repetitions included, and an event is one row as long as it is there', async () => {
  const sink = sinkOf(30);
  await sink.prepare();
  const [old, repeated, fresh] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()] as const;
  const insert = (rows: string, token: string) =>
    sink.insert({ type: 'ad_seen', rows: 1, chunks: [Buffer.from(rows)] }, token, new AbortController().signal);
  await temporary.engine.query('SYSTEM STOP TTL MERGES ugc.ad_seen_rows');
  await insert(line(old, 'old', 31), 'a');
  await insert(line(repeated, 'first', 31) + line(fresh, 'fresh', 29), 'b');
  await insert(line(repeated, 'second', 1), 'c');
  expect((await ads()).filter(ad => ad !== 'old')).toEqual(['first', 'fresh']);
  await temporary.engine.query('SYSTEM START TTL MERGES ugc.ad_seen_rows');
  await temporary.engine.query('OPTIMIZE TABLE ugc.ad_seen_rows FINAL');
  const left = await ads();
  expect(left).not.toContain('old');
  expect(left).toContain('fresh');
  expect(left.filter(ad => ad === 'first' || ad === 'second').length).toBeLessThanOrEqual(1);
});

test('a longer time reaches the table, a shorter one or none leaves it as it is', async () => {
  await sinkOf(90).prepare();
  expect(await engineOf()).toContain('TTL toDateTime(received_at) + toIntervalDay(90)');
  for (const days of [30, undefined]) {
    await sinkOf(days).prepare();
    expect(await engineOf()).toContain('toIntervalDay(90)');
  }
  const wanted = wantedSchema({ database: 'ugc', tables: [tableOf(seen(90))], embedded: true });
  expect(planSchema(wanted, await readSchema(client(), 'ugc'))).toEqual({ problems: [], statements: [] });
});
