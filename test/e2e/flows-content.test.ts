// `ugc flows … content` on the compiled binary, over a real PostgreSQL and a real Kafka: while it is paused likes, reviews and
// bookmarks are taken, none reaches Kafka, also not by a process that was killed and started again, and none by one that is
// stopped; then each is one row.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { askerOf, contentFlags, tokenFor } from '../support/content-client.ts';
import { assertHelps, doctor } from '../support/doctor.ts';
import { exampleClick } from '../support/events.ts';
import { isWithoutKafka } from '../support/kafka.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { metric } from '../support/oracle.ts';
import { isWithoutPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { eventually, queryRows, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const isWithout = (await isWithoutKafka()) || (await isWithoutPostgres());

describe.skipIf(isWithout)('the outbox, over Kafka and PostgreSQL', () => {
  const own = kafkaInTest();
  let postgres: TestPostgres;
  let clickhouse: ClickhouseServer;
  beforeAll(async () => {
    [postgres, clickhouse] = await Promise.all([startPostgres(), startClickhouseServer()]);
  });
  afterAll(async () => {
    await Promise.all([postgres?.stopForGood(), clickhouse?.remove()]);
  });

  const tables = ['film_liked', 'review_posted', 'bookmark_added'] as const;

  /** All of them, and how many events they are. */
  async function rowsIn(): Promise<readonly [rows: number, events: number]> {
    const each = tables.map(table => `SELECT event_id FROM ugc.${table}`).join(' UNION ALL ');
    const sql = `SELECT toUInt32(count()) AS n, toUInt32(uniqExact(event_id)) AS ids FROM (${each})`;
    const [row] = await queryRows<{ n: number; ids: number }>(clickhouse.url, sql).catch(() => [{ n: 0, ids: 0 }]);
    return [row!.n, row!.ids];
  }
  const arrived = (count: number) =>
    eventually(async () => (await rowsIn())[0] === count, { what: `${count} rows`, msMax: 60_000 });

  /** One film of one user: liked, reviewed and kept, three events. */
  async function act(ugc: Ugc, users: readonly string[], film: string): Promise<void> {
    const asked = users.flatMap(user => {
      const ask = askerOf(ugc.url, tokenFor(user));
      return [
        ask('PUT', `/v1/films/${film}/like`, { body: { value: 1 } }),
        ask('POST', `/v1/films/${film}/reviews`, { body: { rating: 7, text: `of ${user}` } }),
        ask('PUT', `/v1/films/${film}/bookmark`),
      ];
    });
    for (const { status } of await Promise.all(asked)) expect(Math.floor(status / 100)).toBe(2);
  }

  test('paused it keeps what comes, through kill -9 and a stop; resumed and drained, each is one row', async () => {
    const name = own.newName();
    const settings = [`--kafka-brokers=${own.kafka.brokers.join(',')}`, `--topic=${name}.{event_type}`];
    const flags = [...settings, `--kafka-group=${name}`, '--request-log=false'];
    const database = { UGC_DATABASE_URL: await postgres.freshDatabase() };
    const dataDir = temporaryFolder();
    const start = () =>
      startUgc({
        dataDir,
        env: database,
        flags: [...flags, ...contentFlags, '--role=content', '--content-history=off'],
      });
    const [first, etl, ingest] = await Promise.all([
      start(),
      startUgc({ dataDir: temporaryFolder(), flags: [...flags, '--role=etl', `--clickhouse-url=${clickhouse.url}`] }),
      startUgc({ dataDir: temporaryFolder(), flags: [...flags, '--role=ingest'] }),
    ]);
    let content = first;
    const made = await runUgc(['keys', 'add', 'watcher', '--kind=secret', '--scopes=admin', `--data-dir=${dataDir}`]);
    const watcher = { UGC_ADMIN_KEY: made.stdout.trim() };
    const waiting = () => metric(content.url, 'ugc_content_outbox_events');
    const wish = async (...args: readonly string[]): Promise<string> => {
      const { code, stderr } = await runUgc(['flows', ...args, 'content', '--by=tester', ...settings]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
      return stderr;
    };
    const paused = (value: number) =>
      eventually(async () => (await metric(content.url, 'ugc_flow_paused')) === value, { what: `paused: ${value}` });
    const line = async () => {
      const { stdout } = await runUgc(['flows', 'ls', '--json', `--url=${content.url}`, ...settings], { env: watcher });
      return JSON.parse(stdout).flows.find(({ flow }: { readonly flow: string }) => flow === 'content');
    };
    /** Whatever had been published before it would be a row by then: it goes through the same broker and the same mover. */
    const later = async () => {
      const event = { ...exampleClick, event_id: Bun.randomUUIDv7(), timestamp: new Date().toISOString() };
      expect((await ingest.post(event)).status).toBe(200);
      const sql = `SELECT 1 FROM ugc.click WHERE event_id = '${event.event_id}'`;
      await eventually(async () => (await queryRows(clickhouse.url, sql).catch(() => [])).length === 1, {
        what: 'an event that came later is a row',
      });
    };
    /** Records of the topics, by the broker. */
    const inKafka = async (): Promise<number> => {
      const offsets = await Promise.all(tables.map(table => own.admin.fetchTopicOffsets(`${name}.${table}`)));
      return offsets.flat().reduce((sum, { high }) => sum + Number(high), 0);
    };

    await act(content, ['ann', 'bob'], 'before');
    await arrived(6);
    await wish('pause', '--why=the topics are moved');
    await paused(1);

    const users = Array.from({ length: 40 }, (_, at) => `user-${at}`);
    await act(content, users, 'during');
    expect(await waiting()).toBe(120);
    content.kill('SIGKILL');
    await content.exited;
    content = await start();
    await paused(1);
    await act(content, ['cid'], 'during');
    expect(await waiting()).toBe(123);
    // Stopped in order it publishes nothing either.
    expect(await content.stop()).toBe(0);
    content = await start();
    await paused(1);
    await later();
    expect(await waiting()).toBe(123);
    expect(await inKafka()).toBe(6);
    expect(await rowsIn()).toEqual([6, 6]);
    expect(await line()).toMatchObject({ state: 'paused', lag_events: 123, by: 'tester', why: 'the topics are moved' });
    const { of } = await doctor(
      [...settings, '--role=content', ...contentFlags, `--data-dir=${dataDir}`, `--port=${new URL(content.url).port}`],
      database,
    );
    const [check] = of('instance.flow_content');
    expect(check).toMatchObject({ result: 'warning', seen: expect.stringContaining('the topics are moved') });
    await assertHelps(check);

    await wish('resume');
    await arrived(129);
    await paused(0);
    expect(await waiting()).toBe(0);

    await act(content, users.slice(0, 10), 'after');
    expect(await wish('drain', '--why=moving house', '--wait-seconds=60')).toContain('nothing is left of content');
    await paused(1);
    await act(content, ['dan'], 'after');
    await later();
    expect(await waiting()).toBe(3);
    expect(await rowsIn()).toEqual([159, 159]);
    expect(await line()).toMatchObject({ state: 'drained', lag_events: 3 });
    await wish('resume');
    await arrived(162);
    expect(await rowsIn()).toEqual([162, 162]);
    // A crash may have published one twice; this one had published nothing when it was killed.
    expect(await inKafka()).toBe(162);
    const { code, stdout } = await runUgc(
      ['reconcile', '--content', '--json', `--clickhouse-url=${clickhouse.url}`, `--data-dir=${dataDir}`],
      { env: database },
    );
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, closes: true, outbox: 0 });
    for (const ugc of [content, etl, ingest]) expect(await ugc.stop()).toBe(0);
  }, 300_000);
});
