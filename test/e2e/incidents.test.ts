// What goes wrong without Kafka having a part in it, staged on the compiled binary: one command names the cause and the next
// step. Those around Kafka are in incidents-kafka.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { authorityIn } from '../support/certificates.ts';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { assertHelps, doctor } from '../support/doctor.ts';
import { exampleClick } from '../support/events.ts';
import { freePorts } from '../support/free-ports.ts';
import { movedClock } from '../support/moved-clock.ts';
import { tlsProxy } from '../support/tls-proxy.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

let clickhouse: ClickhouseServer;
beforeAll(async () => {
  clickhouse = await startClickhouseServer();
});
afterAll(async () => {
  cleanUp();
  await clickhouse.remove();
});

const event = (more: object = {}) => ({ ...exampleClick, timestamp: Date.now(), ...more });

/** A folder and a port that doctor and the instance agree on. */
async function place() {
  const [port] = await freePorts(1);
  const dataDir = temporaryFolder();
  return { dataDir, flags: [`--data-dir=${dataDir}`, `--port=${port}`] };
}

const ask = async (sql: string): Promise<string> => {
  const response = await fetch(clickhouse.url, { method: 'POST', body: sql });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
};

test('an embedded instance that is well, then a stopped one, whose folder stays as it is', async () => {
  const { dataDir, flags } = await place();
  const ugc = await startUgc({ dataDir, flags });
  await ugc.post(event());
  const well = await eventually(
    async () => {
      const told = await doctor(flags);
      return told.success ? told : null;
    },
    { what: 'nothing is wrong' },
  );
  expect(well.code).toBe(0);
  expect(well.of('disk.owner')[0]?.seen).toContain(`process ${ugc.pid}`);
  for (const id of ['instance.ready', 'clickhouse.reach', 'clickhouse.tables', 'etl.dead', 'buffer.depth'])
    expect(well.of(id), id).toMatchObject([{ result: 'success' }]);
  const text = await runUgc(['doctor', ...flags]);
  expect(text.code).toBe(0);
  expect(text.stdout).toContain('  ✓ instance.ready  ');
  expect(await ugc.stop()).toBe(0);

  const files = readdirSync(dataDir);
  const stopped = await doctor(flags);
  expect(stopped.code).toBe(0);
  expect(stopped.of('instance.answers')).toMatchObject([{ result: 'warning' }]);
  expect(readdirSync(dataDir)).toEqual(files);
  const nowhere = join(temporaryFolder(), 'not-made');
  expect((await doctor([`--data-dir=${nowhere}`, '--before-start'])).code).toBe(0);
  expect(await Bun.file(nowhere).exists()).toBe(false);
}, 60_000);

test('settings that are wrong are findings like others; words that mean nothing are wrong use', async () => {
  const found = await doctor(['--kafka-sasl=plain', '--port=eighty'], { UGC_NONSENSE: '1' });
  expect(found.code).toBe(1);
  expect(
    found
      .of('settings.read')
      .map(({ seen }) => seen)
      .join(),
  ).toMatch(/UGC_NONSENSE[\s\S]*UGC_PORT/);
  expect((await runUgc(['doctor', 'everything'])).code).toBe(2);
  expect((await runUgc(['doctor', '--before-stat'])).stdout).toContain('--before-start');
});

test('a table does not fit its type; then ClickHouse is down, and back', async () => {
  const { dataDir, flags } = await place();
  const all = [...flags, `--clickhouse-url=${clickhouse.url}`];
  const ugc = await startUgc({ dataDir, flags: all });
  await eventually(async () => (await doctor(all)).success, { what: 'all is well' });

  const typeOf = (type: string) => ask(`ALTER TABLE ugc.click_rows MODIFY COLUMN element ${type}`);
  const type = await ask(`SELECT type FROM system.columns WHERE table = 'click_rows' AND name = 'element'`);
  await typeOf('LowCardinality(String)');
  const unfit = await doctor(all);
  expect(unfit.code).toBe(1);
  const [tables] = unfit.of('clickhouse.tables');
  expect(tables).toMatchObject({ result: 'error', seen: expect.stringContaining('ugc.click_rows: column element') });
  await assertHelps(tables);
  await typeOf(type.trim());

  await clickhouse.kill();
  expect((await ugc.post(event())).status).toBe(200);
  const found = await doctor(all);
  expect(found.code).toBe(1);
  const [reach] = found.of('clickhouse.reach');
  expect(reach).toMatchObject({ result: 'error', follows: expect.stringContaining('none is lost') });
  await assertHelps(reach);
  expect(found.of('instance.ready')).toMatchObject([{ result: 'success' }]);
  console.log(`doctor with ClickHouse down took ${found.tookMs} ms`);
  await clickhouse.start();
  await eventually(async () => (await doctor(all)).success, { what: 'all is well again' });
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('the disk is nearly full', async () => {
  const { dataDir, flags } = await place();
  const all = [...flags, '--buffer-disk-reserve-bytes=15TiB', '--role=ingest'];
  const ugc = await startUgc({ dataDir, flags: all });
  expect((await ugc.post(event())).status).toBe(503);
  const found = await doctor(all);
  expect(found.code).toBe(1);
  const [room] = found.of('disk.room');
  expect(room).toMatchObject({ result: 'error', seen: expect.stringContaining('UGC_BUFFER_DISK_RESERVE_BYTES') });
  await assertHelps(room);
  expect(found.of('instance.ready')).toMatchObject([{ result: 'error' }]);
  expect(await ugc.stop()).toBe(0);
});

describe('a broken schema is deployed', () => {
  test('a file that is no type', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'cart.json'), '{"name": "cart", "fields": ');
    const found = await doctor([`--data-dir=${temporaryFolder()}`, `--schemas-dir=${folder}`, '--before-start']);
    expect(found.code).toBe(1);
    const [types] = found.of('settings.types');
    expect(types).toMatchObject({ result: 'error', seen: expect.stringContaining('cart.json') });
    await assertHelps(types);
  });
});

const clock = movedClock();

describe.skipIf(clock === null)('the clock is wrong', () => {
  test('two hours behind ClickHouse’s', async () => {
    const { flags } = await place();
    clock!.move(-7_200);
    const found = await doctor([...flags, `--clickhouse-url=${clickhouse.url}`, '--before-start'], clock!.env);
    expect(found.code).toBe(1);
    const [apart] = found.of('clock.clickhouse');
    expect(apart).toMatchObject({ result: 'error', seen: expect.stringMatching(/2 h.* ahead of this one/) });
    await assertHelps(apart);
  });
});

test('certificates that have expired: of the front, and of ClickHouse', async () => {
  const folder = temporaryFolder();
  const authority = authorityIn(folder);
  const over = authority.issue('over', { days: -1 });
  const proxy = await tlsProxy({ target: Number(new URL(clickhouse.url).port), pair: over });
  try {
    const found = await doctor([
      `--data-dir=${folder}`,
      `--tls-cert=${over.cert}`,
      `--tls-key=${over.key}`,
      `--clickhouse-url=https://127.0.0.1:${proxy.port}`,
      `--clickhouse-tls-ca=${authority.ca}`,
      '--before-start',
    ]);
    expect(found.code).toBe(1);
    for (const id of ['door.certificate', 'door.served', 'clickhouse.tls']) {
      expect(found.of(id), id).toMatchObject([{ result: 'error', seen: expect.stringContaining('expired') }]);
      await assertHelps(found.of(id)[0]);
    }
  } finally {
    await proxy.close();
  }
});

test('a client repeats itself: reconcile counts it, and there is one row; trace finds the one asked for', async () => {
  const { dataDir, flags } = await place();
  const ugc = await startUgc({ dataDir, flags: [...flags, '--ledger'] });
  const id = crypto.randomUUID();
  const sent = 50;
  for (let times = 0; times < sent; times++) expect((await ugc.post(event({ event_id: id }))).status).toBe(200);
  const counted = await eventually(
    async () => {
      // The minute that runs, too.
      const to = `--to=${new Date(Date.now() + 60_000).toISOString()}`;
      const { stdout } = await runUgc(['reconcile', '--json', to, ...flags]);
      const { types = [] } = (stdout.startsWith('{') ? JSON.parse(stdout) : {}) as {
        readonly types?: readonly { readonly type: string; readonly repeated: number; readonly rows: number }[];
      };
      const clicks = types.find(({ type }) => type === 'click');
      return clicks?.repeated === sent - 1 ? clicks : null;
    },
    { what: 'the repetitions in the balance' },
  );
  expect(counted.rows).toBe(1);
  const trace = await runUgc(['trace', id, '--json', ...flags]);
  expect(JSON.parse(trace.stdout)).toMatchObject({ rows: [{ table: 'ugc.click' }], dead_letters: [], buffer: [] });
  const unknown = await runUgc(['trace', crypto.randomUUID(), ...flags]);
  expect(unknown.code).toBe(1);
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('servers that take a connection and say nothing cost no more than the limit of each question', async () => {
  const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } });
  try {
    const found = await doctor([
      `--data-dir=${temporaryFolder()}`,
      `--clickhouse-url=http://127.0.0.1:${silent.port}`,
      `--kafka-brokers=127.0.0.1:${silent.port}`,
      `--database-url=postgres://ugc@127.0.0.1:${silent.port}/ugc`,
      `--port=${silent.port}`,
    ]);
    expect(found.code).toBe(1);
    for (const id of ['clickhouse.reach', 'kafka.reach', 'content.store'])
      expect(found.of(id), id).toMatchObject([{ result: 'error' }]);
    expect(found.of('instance.answers')).toMatchObject([{ result: 'warning' }]);
    console.log(`doctor with nothing answering took ${found.tookMs} ms`);
  } finally {
    silent.stop(true);
  }
});
