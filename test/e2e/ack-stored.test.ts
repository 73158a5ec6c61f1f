// `?ack=stored` on the compiled binary: an answer of 200 is a row that can be read, in one process and across two, and
// with tables that are away it is 202 in time and never an error.

import { afterAll, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { exampleClick } from '../support/events.ts';
import { eventually, queryRows, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const stored = '/v1/events?ack=stored';
/** For answers that are to be 200. */
const patient = '--ack-stored-timeout-ms=60000';
const servers: ClickhouseServer[] = [];
afterAll(() => Promise.all(servers.map(server => server.remove())));

const countOf = async (url: string, ids: readonly string[]): Promise<number> => {
  const list = ids.map(id => `'${id}'`).join(',');
  const [row] = await queryRows<{ n: string }>(url, `SELECT count() AS n FROM ugc.click WHERE event_id IN (${list})`);
  return Number(row!.n);
};

interface Body {
  readonly event_id: string;
  readonly stored: string;
  readonly results: readonly { readonly event_id: string; readonly outcome: string; readonly stored?: string }[];
}

const timed = async (ugc: Ugc, body: unknown = exampleClick) => {
  const startedAt = performance.now();
  const response = await ugc.post(body, stored);
  const answer = (await response.json()) as Body;
  return { status: response.status, body: answer, ms: performance.now() - startedAt };
};

test('in one process 200 is a row, for one event and for many at once; a repeated one is there already', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [patient] });
  for (let round = 0; round < 5; round++) {
    const { status, body } = await timed(ugc);
    expect({ status, stored: body.stored }).toEqual({ status: 200, stored: 'clickhouse' });
    expect(await countOf(ugc.clickhouseUrl, [body.event_id])).toBe(1);
    expect((await timed(ugc, { ...exampleClick, event_id: body.event_id })).status).toBe(200);
  }
  const answers = await Promise.all(Array.from({ length: 100 }, () => timed(ugc, Array(20).fill(exampleClick))));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const ids = answers.flatMap(({ body }) => body.results.map(({ event_id }) => event_id));
  expect(await countOf(ugc.clickhouseUrl, ids)).toBe(2_000);
  expect(await ugc.stop()).toBe(0);
});

test('some rejected is 207 as ever, and another ack than durable and stored is 400 with nothing stored', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: [patient] });
  const { status, body } = await timed(ugc, [exampleClick, { event_type: 'click' }]);
  expect(status).toBe(207);
  expect(body.results.map(({ outcome, stored: where }) => where ?? outcome)).toEqual(['clickhouse', 'rejected']);
  for (const query of ['ack=soon', 'ack=', 'ack=stored&ack=durable'])
    expect((await ugc.post(exampleClick, `/v1/events?${query}`)).status).toBe(400);
  expect((await ugc.post(exampleClick, '/v1/events?ack=durable&x=1')).status).toBe(200);
  await eventually(async () => {
    const rows = await ugc.query('SELECT event_id FROM ugc.click');
    return rows.length === 2;
  });
  expect(await ugc.stop()).toBe(0);
});

test('across ingest and etl on one folder: 202 in time without etl, 200 with it, also when it comes while one waits', async () => {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest', '--ack-stored-timeout-ms=700'] });
  const alone = await timed(ingest);
  expect(alone).toMatchObject({ status: 202, body: { outcome: 'accepted', stored: 'disk' } });
  expect(alone.ms).toBeGreaterThan(690);
  expect(alone.ms).toBeLessThan(30_000);

  const waits = await startUgc({ dataDir, flags: ['--role=ingest', patient] });
  const waiting = timed(waits);
  for (let times = 0; times < 2; times++) {
    const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
    if (times === 0) expect((await waiting).status).toBe(200);
    const { status, body } = await timed(waits); // the second etl has another port
    expect(status).toBe(200);
    expect(await countOf(etl.clickhouseUrl, [alone.body.event_id, body.event_id])).toBe(2);
    etl.kill(times === 0 ? 'SIGKILL' : 'SIGTERM');
    await etl.exited;
  }
  expect((await timed(ingest)).status).toBe(202);
  expect(await ingest.stop()).toBe(0);
  expect(await waits.stop()).toBe(0);
});

test('a stop answers whoever waits with 202, well before their time is up', async () => {
  const ingest = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=ingest', patient],
  });
  const waiting = timed(ingest);
  await eventually(async () =>
    /ugc_events_stored_total\{[^}]*\} 1/.test(await (await fetch(`${ingest.url}/metrics`)).text()),
  );
  expect(await ingest.stop()).toBe(0);
  expect((await waiting).status).toBe(202);
});

test('a ClickHouse server that is killed or hangs makes it 202 in time, and 200 once it is back', async () => {
  const server = await startClickhouseServer();
  servers.push(server);
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--clickhouse-url=${server.url}`, '--ack-stored-timeout-ms=1000'],
  });
  const ids: string[] = [];
  const until = (wanted: number) =>
    eventually(async () => {
      const { status, body } = await timed(ugc);
      ids.push(body.event_id);
      return status === wanted;
    });
  await until(200);
  for (const [away, back] of [
    [server.kill, server.start],
    [server.freeze, server.thaw],
  ] as const) {
    await away();
    const { status, ms, body } = await timed(ugc);
    expect({ status, stored: body.stored }).toEqual({ status: 202, stored: 'disk' });
    expect(ms).toBeLessThan(30_000);
    ids.push(body.event_id);
    await back();
    await until(200);
  }
  await eventually(async () => (await countOf(server.url, ids)) === ids.length);
  expect(await ugc.stop()).toBe(0);
});

test('a process that reads Kafka’s events nowhere says in words that it cannot wait for rows', async () => {
  const ingest = await startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=ingest', '--kafka-brokers=127.0.0.1:1'],
  });
  const response = await ingest.post(exampleClick, stored);
  expect(response.status).toBe(400);
  expect(await response.text()).toContain('UGC_CLICKHOUSE_URL');
  expect((await ingest.post(exampleClick)).status).toBe(200);
  expect(await ingest.stop()).toBe(0);
});
