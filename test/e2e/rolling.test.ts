// An upgrade and its rollback without a pause: two edges and two etl processes over Kafka are replaced one after the other on
// their data folders, forwards and back, while events come. Every event that was acknowledged is one row.
// The other version is the binary UGC_TEST_OTHER_UGC names; without one the same binary is replaced by itself, which shows the
// handing over and no change of formats (those: versions.test.ts, and the fixtures of each).

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { readInstance } from '../../src/process/instance.ts';
import { freePorts } from '../support/free-ports.ts';
import { isWithoutKafka, startKafka, type TestKafka } from '../support/kafka.ts';
import { binary, cleanUp, eventually, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const other = process.env.UGC_TEST_OTHER_UGC ?? binary;

describe.skipIf(await isWithoutKafka())('a rolling upgrade and its rollback', () => {
  let kafka: TestKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stopForGood());

  test('one process after the other, under load', async () => {
    const folder = temporaryFolder();
    const holder = await startUgc({ dataDir: folder }); // a ClickHouse for all of them
    const [portA, portB] = (await freePorts(2)) as [number, number];
    const settings = [
      `--kafka-brokers=${kafka.brokers}`,
      `--topic=t${Bun.randomUUIDv7().slice(-8)}.{event_type}`,
      '--topic-partitions=4',
      `--clickhouse-url=${holder.clickhouseUrl}`,
      '--clickhouse-user=ugc',
      `--clickhouse-password=${readInstance(folder)!.clickhouseKey}`,
    ];
    const roles = [
      { name: 'etl-a', flags: ['--role=etl'] },
      { name: 'etl-b', flags: ['--role=etl'] },
      { name: 'edge-a', flags: ['--role=ingest', `--port=${portA}`] },
      { name: 'edge-b', flags: ['--role=ingest', `--port=${portB}`] },
    ];
    const start = async ({ name, flags }: (typeof roles)[number], command: string): Promise<Ugc> => {
      const own = [...settings, ...flags, '--request-log=false'];
      return startUgc({ dataDir: join(folder, name), flags: own, command });
    };
    const running = await Promise.all(roles.map(role => start(role, other)));
    const urls = [portA, portB].map(port => `--url=http://127.0.0.1:${port}`);
    const load = Bun.spawn(
      [
        ...[binary, 'load', ...urls, ...settings, `--data-dir=${join(folder, 'load')}`, '--json', '--verify'],
        ...['--types=click,page_view,custom,cart_add', '--rate=300', '--duration=600', '--connections=32'],
      ],
      { stdout: 'pipe', stderr: 'pipe', env: { PATH: process.env.PATH ?? '' } },
    );
    const report = new Response(load.stdout).text();
    const said = new Response(load.stderr).text();
    const rows = async () => Number((await holder.query<{ n: string }>('SELECT count() AS n FROM ugc.events'))[0]!.n);
    const rise = async (): Promise<void> => {
      const before = await rows();
      await eventually(async () => (await rows()) > before + 200, { what: 'rows come' });
    };
    await eventually(async () => (await rows()) > 0, { what: 'the first rows' });

    // Who reads first, as docs/operate/upgrade.md says; back in the other order.
    for (const [places, command] of [
      [[0, 1, 2, 3], binary],
      [[3, 2, 1, 0], other],
    ] as const)
      for (const place of places) {
        expect({ place, code: await running[place]!.stop() }).toEqual({ place, code: 0 });
        running[place] = await start(roles[place]!, command);
        await rise();
      }
    load.kill('SIGINT');
    const code = await load.exited;
    const text = await report;
    if (text === '') throw new Error(await said);
    const { verified, edges, outcomes } = JSON.parse(text);
    expect({ code, verified }).toMatchObject({ code: 0, verified: { missing: 0, duplicate: 0 } });
    expect(verified.accepted).toBeGreaterThan(1_000);
    expect(outcomes).toMatchObject({ wrongly_refused: 0, refused: 0 });
    for (const edge of edges) expect(edge.accepted).toBeGreaterThan(300);
    process.stderr.write(`rolling: ${JSON.stringify(verified)} ${JSON.stringify(outcomes)}\n`);
    for (const ugc of running) expect(await ugc.stop()).toBe(0);
    await holder.stop();
  }, 300_000);
});
