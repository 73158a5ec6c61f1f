// Foreign records and poison through a real Kafka into the real engine, read twice by two consumer groups.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Admin, Producer } from 'kafkajs';
import { catalogue } from '../../schemas/catalogue.ts';
import { tableOf } from '../../schemas/table.ts';
import { chdbConnection } from '../../src/adapters/chdb/connection.ts';
import { clickhouseClient } from '../../src/adapters/clickhouse/client.ts';
import { clickhouseSink } from '../../src/adapters/clickhouse/write/sink.ts';
import { foreignJudgeOf } from '../../src/catalogue/foreign.ts';
import { judgeOf } from '../../src/catalogue/judge.ts';
import { startMover } from '../../src/mover/loop.ts';
import type { SinkWithDeadLetters } from '../../src/ports/sink.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { click, film, judgeOptions, originOf } from '../support/edge.ts';
import { isWithoutKafka, kafkaClient, makeTopics, startKafka, type TestKafka } from '../support/kafka.ts';
import { sourcesOf } from '../support/kafka-source.ts';
import { moverMetrics, quietLogger } from '../support/quiet.ts';
import { until } from '../support/until.ts';

let kafka: TestKafka;
let admin: Admin;
let producer: Producer;
let local: TemporaryEngine;
let sink: SinkWithDeadLetters;

const sql = async (query: string): Promise<string> => (await local.engine.query(query)).bytes.toString().trim();
const sources = sourcesOf(() => ({ brokers: kafka.brokers }));

const topic = `foreign.${process.pid}`;
const id = (n: number): string => `0190a000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** As an edge of ours writes it: passes as it is. */
function stamped(n: number): string {
  const verdict = judgeOf(judgeOptions)(
    { ...click, event_id: id(n), timestamp: Date.now() },
    originOf({ receivedAtMs: Date.now() }),
  );
  if (!verdict.ok) throw new Error(JSON.stringify(verdict));
  return verdict.envelope.body;
}

const now = new Date().toISOString();
const values: readonly (string | Buffer | null)[] = [
  stamped(1),
  JSON.stringify({ ...film, timestamp: now, event_id: id(2) }),
  null,
  JSON.stringify({ ...film, timestamp: now, video_id: 'no id' }, null, 2),
  Buffer.from([0xff, 0xfe, 0x0a, 0x00, 0x80]),
  '{"event_type":"click","timesta',
  stamped(3),
  JSON.stringify({ ...click, timestamp: now, properties: { a: 'x'.repeat(900_000) } }),
  '',
  JSON.stringify({ ...film, timestamp: now, duration: 'long' }),
  JSON.stringify({ ...film, timestamp: now, video_id: 'no id' }),
  stamped(4),
  // No text can be made of its type, and the edge's fields stand beside it.
  '{"event_type":{"toString":1,"valueOf":1},"schema_version":1,"received_at":"2026-11-21T12:00:00.000Z","source":"","ip":"","user_agent":""}',
  '{"event_id":{"toString":1},"event_type":"click","timestamp":{"valueOf":1},"properties":{"__proto__":1e999}}',
  stamped(5),
];
/** By offset, what is dead and why. */
const dead = [
  [2, 'tombstone'],
  [4, 'not_utf8'],
  [5, 'not_json'],
  [7, 'too_large'],
  [8, 'not_json'],
  [9, 'invalid'],
  [12, 'invalid'],
  [13, 'invalid'],
];

async function moveAll(groupId: string): Promise<void> {
  const mover = startMover({
    source: sources.open(groupId, [topic]),
    sink: { ...sink, close: async () => {} },
    deadLetters: sink,
    types: new Map(catalogue.types.map(({ name, version }) => [name, version])),
    judge: foreignJudgeOf({ ...judgeOptions, catalogue, bodyBytesMax: 2 ** 21 }),
    blockRowsMax: 10_000,
    blockBytesMax: 2 ** 23,
    intervalMs: 0,
    graceMs: 2_000,
    logger: quietLogger,
    metrics: moverMetrics,
  });
  let committed = '';
  const look = async (): Promise<void> => {
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] });
    committed = found?.partitions[0]?.offset ?? '';
  };
  const looking = setInterval(() => void look().catch(() => {}), 50);
  await until(() => committed === String(values.length), 'all is committed');
  clearInterval(looking);
  await mover.stop();
}

async function expectAll(): Promise<void> {
  expect(await sql('SELECT event_id FROM ugc.click ORDER BY event_id')).toBe([1, 3, 4, 5].map(id).join('\n'));
  expect(await sql("SELECT count(), uniqExact(event_id), countIf(video_id = 'no id') FROM ugc.film_watched")).toBe(
    '3\t3\t2',
  );
  const letters = await sql(
    `SELECT position, reason, index FROM ugc.dead_letters WHERE topic = '${topic}' ORDER BY position`,
  );
  expect(letters.split('\n')).toEqual(dead.map(([offset, reason]) => `${offset}\t${reason}\t0`));
  const raw = await sql('SELECT hex(raw) FROM ugc.dead_letters WHERE position = 4');
  expect(raw).toBe('FFFE0A0080');
}

describe.skipIf(await isWithoutKafka())('from Kafka', () => {
  beforeAll(async () => {
    local = temporaryEngine();
    sink = clickhouseSink({
      client: clickhouseClient({ connection: chdbConnection(local.engine) }),
      database: 'ugc',
      tables: catalogue.types.map(tableOf),
      migrate: 'auto',
      timeoutMs: 20_000,
      embedded: true,
    });
    kafka = await startKafka();
    admin = kafkaClient(kafka.brokers, 10).admin();
    producer = kafkaClient(kafka.brokers, 10).producer();
    await Promise.all([sink.prepare(), admin.connect(), producer.connect()]);
  });
  afterAll(async () => {
    await Promise.all([admin?.disconnect(), producer?.disconnect()]);
    await kafka?.stopForGood();
    await local[Symbol.asyncDispose]();
  });

  test('exactly the bad records are dead letters, the others rows, and a second group changes nothing', async () => {
    await makeTopics(admin, { topic, numPartitions: 1 });
    for (const from of [0, 5]) // two record batches
      await producer.send({
        topic,
        messages: values.slice(from, from === 0 ? 5 : undefined).map(value => ({ value })),
      });
    await moveAll('first');
    await expectAll();
    const before = await sql(
      'SELECT groupArray(toString(event_id)) FROM (SELECT event_id FROM ugc.film_watched ORDER BY event_id)',
    );
    await moveAll('second');
    await expectAll();
    expect(
      await sql('SELECT groupArray(toString(event_id)) FROM (SELECT event_id FROM ugc.film_watched ORDER BY event_id)'),
    ).toBe(before);
  });
});
