// The binary over a real Pulsar, set up as compose.yaml's: an event's way to its row, an outage and its end, reading again, and what an operator is told.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { folderColdStore } from '../../src/adapters/cold-folder/store.ts';
import { archivedIn, straysIn } from '../support/archive-oracle.ts';
import { eventsIn } from '../support/archived-events.ts';
import { composeWith } from '../support/compose.ts';
import { clientEvent } from '../support/events.ts';
import { drained, metric } from '../support/oracle.ts';
import { isWithoutPulsar, startPulsar, type TestPulsar } from '../support/pulsar.ts';
import { randomOf } from '../support/random.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('pulsar');
describe.skipIf(await isWithoutPulsar('own'))('over Pulsar', () => {
  let pulsar: TestPulsar;
  let ugc: Ugc;
  const flags = (): string[] => [
    ...['--transport=pulsar', `--pulsar-url=${pulsar.url}`, '--topic=ugc.{family}', '--topic-partitions=2'],
    ...['--pulsar-connect-timeout-ms=10000', '--pulsar-request-timeout-ms=5000'],
  ];
  const post = async (): Promise<{ readonly id: string; readonly stored: string }> => {
    const event = clientEvent(random);
    const answer = (await (await ugc.post(event)).json()) as { stored: string };
    return { id: event.event_id, stored: answer.stored };
  };
  const acked = new Set<string>();
  const posted = async (): Promise<string> => {
    const { id, stored } = await post();
    acked.add(id);
    return stored;
  };
  const rows = async (): Promise<Set<string>> =>
    new Set((await ugc.query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.events')).map(({ id }) => id));
  const allAreRows = (): Promise<unknown> =>
    eventually(async () => (await rows()).size === acked.size, { what: `${acked.size} rows` });

  beforeAll(async () => {
    const { PULSAR_MEM: _, ...settings } = composeWith().services.pulsar!.environment;
    pulsar = await startPulsar({
      settings: Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)])),
    });
    ugc = await startUgc({ dataDir: temporaryFolder(), flags: flags() });
  });
  afterAll(async () => {
    ugc?.kill('SIGKILL');
    await pulsar?.stopForGood();
  });

  test('an event that Pulsar has acked says so, and becomes a row', async () => {
    await eventually(async () => (await posted()) === 'pulsar', { what: 'an event in Pulsar' });
    for (let at = 0; at < 50; at++) await posted();
    await drained(ugc);
    await allAreRows();
    expect(await rows()).toEqual(acked);
    await eventually(async () => (await metric(ugc.url, 'ugc_etl_lag_events')) === 0, { what: 'no lag' });
  });

  test('without Pulsar events go to the disk, readiness says why, and they are rows once it is back', async () => {
    await pulsar.kill();
    await eventually(async () => (await posted()) === 'disk', { what: 'an event on the disk' });
    for (let at = 0; at < 50; at++) expect(await posted()).toBe('disk');
    await eventually(async () => /pulsar/i.test(await (await fetch(`${ugc.url}/healthz/ready`)).text()), {
      what: 'readiness names Pulsar',
    });
    await pulsar.restart();
    await eventually(async () => (await posted()) === 'pulsar', { what: 'an event in Pulsar again' });
    await drained(ugc);
    await allAreRows();
    expect(await rows()).toEqual(acked);
  });

  test('one that hangs is waited for no longer than the budget, and nothing is lost or doubled', async () => {
    pulsar.stop();
    await eventually(async () => (await posted()) === 'disk', { what: 'an event on the disk' });
    for (let at = 0; at < 20; at++) await posted();
    pulsar.cont();
    await eventually(async () => (await posted()) === 'pulsar', { what: 'an event in Pulsar again' });
    await drained(ugc);
    await allAreRows();
    expect(await rows()).toEqual(acked);
  });

  test('the log is read again from a time, by a subscription of its own', async () => {
    const again = await startUgc({
      dataDir: temporaryFolder(),
      flags: [...flags(), '--role=etl', '--from=2026-01-01T00:00Z'],
    });
    const count = async (): Promise<number> =>
      Number((await again.query<{ n: string }>('SELECT count() AS n FROM ugc.events'))[0]!.n);
    // What Pulsar has let go of since is not there to be read: every subscription had passed it.
    await eventually(async () => (await count()) > 0, { what: 'rows that were read again' });
    const strangers = await again.query<{ id: string }>('SELECT toString(event_id) AS id FROM ugc.events');
    expect(strangers.filter(({ id }) => !acked.has(id))).toEqual([]);
    expect(await again.stop()).toBe(0);
  });

  test('an event is found in its topic', async () => {
    const id = [...acked].at(-1)!; // the first are gone: every subscription has passed them
    const { code, stdout } = await runUgc([
      'trace',
      id,
      '--json',
      ...flags(),
      `--data-dir=${temporaryFolder()}`,
      `--clickhouse-url=${ugc.clickhouseUrl}`,
    ]);
    const found = JSON.parse(stdout) as {
      pulsar: { topic: string; message_id: string; body: string }[];
      unasked: object;
    };
    expect(Object.keys(found.unasked)).toEqual(['buffer']); // no folder of its own
    expect({ code, places: found.pulsar.length }).toEqual({ code: 0, places: 1 });
    expect(JSON.parse(found.pulsar[0]!.body)).toMatchObject({ event_id: id });
  });

  test('every event is archived once, by a subscription of its own, also over a kill', async () => {
    const folder = temporaryFolder();
    const start = () =>
      startUgc({
        dataDir: temporaryFolder(),
        flags: [
          ...[...flags(), '--topic=cold.{family}', '--role=ingest,archive', '--request-log=false'],
          ...[`--archive-url=file://${folder}`, '--archive-file-seconds=1', '--ledger=false', '--rejections-seconds=0'],
        ],
      });
    const sent: string[] = [];
    const send = async (to: Ugc): Promise<void> => {
      const events = Array.from({ length: 40 }, () => clientEvent(random));
      expect((await to.post(events)).status).toBe(200);
      sent.push(...events.map(({ event_id: id }) => id));
    };
    const archived = async (): Promise<string[]> => {
      const events = await eventsIn(await archivedIn(folderColdStore(folder)), 'parquet');
      return events.map(({ event_id: id }) => String(id)).toSorted();
    };
    const isWhole = (of: Ugc) =>
      eventually(
        async () => {
          const ids = new Set(await archived());
          const missing = sent.filter(id => !ids.has(id));
          if (missing.length === 0) return true;
          const ready = await (await fetch(`${of.url}/healthz/ready`)).text();
          throw new Error(`${missing.length} of ${sent.length} are missing: ${ready}`);
        },
        { what: 'all are archived' },
      );
    const first = await start();
    await send(first);
    await isWhole(first);
    await send(first);
    await drained(first); // its folder goes with it
    first.kill('SIGKILL');
    await first.exited;
    const second = await start();
    await send(second);
    await isWhole(second);
    expect(await archived()).toEqual(sent.toSorted());
    expect(await straysIn(folderColdStore(folder))).toEqual([]);
    expect(await second.stop()).toBe(0);
  });

  test('where topics may not be made, the commands are said', async () => {
    const barred = await startUgc({
      dataDir: temporaryFolder(),
      flags: [...flags(), '--topic=barred.{family}', '--topic-create=false', '--role=ingest'],
    });
    const ready = async (): Promise<string> => (await fetch(`${barred.url}/healthz/ready`)).text();
    await eventually(async () => (await ready()).includes('pulsar-admin topics create-partitioned-topic'), {
      what: 'the command',
    });
    expect(await ready()).toContain(
      'pulsar-admin topics create-subscription persistent://public/default/barred.film --subscription ugc-etl',
    );
    const answer = (await (await barred.post(clientEvent(random))).json()) as { stored: string };
    expect(answer.stored).toBe('disk');
    expect(await barred.stop()).toBe(0);
  });
});

test('Pulsar without its address is refused', async () => {
  const { code, stderr } = await runUgc(['--transport=pulsar', `--data-dir=${temporaryFolder()}`]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('needs UGC_PULSAR_URL') });
});
