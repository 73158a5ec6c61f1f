// What an operator does with the binary over a real Pulsar: rules that divert, what is set aside, many topics, records of others and
// their dead letters, reading again, receipts, the balance, a person's data.

import { describe, expect, test } from 'bun:test';
import { type ClientEvent, clientEvent, exampleClick, typeOf } from '../support/events.ts';
import { flowsOfFolder } from '../support/flows-of-folder.ts';
import { drained, metric } from '../support/oracle.ts';
import { isWithoutPulsar } from '../support/pulsar.ts';
import { pulsarInTest } from '../support/pulsar-in-test.ts';
import { type Random, randomOf } from '../support/random.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const random = randomOf('pulsar operate');

const clickOf = (user: string, more: object = {}) => ({
  ...exampleClick,
  event_id: crypto.randomUUID(),
  timestamp: new Date().toISOString(),
  user_id: user,
  ...more,
});

/** Of another type. */
const otherOf = (random: Random): ClientEvent => {
  for (;;) {
    const event = clientEvent(random);
    if (typeOf(event) === 'page_view') return event;
  }
};

const idsIn = async (ugc: Ugc, table: string): Promise<string[]> =>
  (await ugc.query<{ id: string }>(`SELECT toString(event_id) AS id FROM ugc.${table}`)).map(({ id }) => id);

describe.skipIf(await isWithoutPulsar('own'))('operating over Pulsar', () => {
  const own = pulsarInTest({ webSocketSessionIdleTimeoutMillis: '20000' });

  /** A running one, of topics and a subscription of this name, that has shown that Pulsar takes its events. */
  async function started(name: string, flags: readonly string[] = [], pattern?: string) {
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, flags: [...own.flags(name, pattern), ...flags] });
    const stored = async (event: object): Promise<string> =>
      ((await (await ugc.post(event)).json()) as { stored: string }).stored;
    await eventually(async () => (await stored(clickOf('first'))) === 'pulsar', { what: 'an event in Pulsar' });
    const run = (...args: string[]) => runUgc([...args, ...own.flags(name, pattern), `--data-dir=${dataDir}`]);
    return { ugc, dataDir, stored, run };
  }

  test('events of each type go to its topic and its table; diverted ones to theirs, which keeps them for its reader', async () => {
    const name = own.newName();
    const { ugc, dataDir, stored } = await started(name, [], '{event_type}');
    const added = await runUgc([
      ...['rules', 'add', 'divert', '--user=mad', `--topic=${name}.aside`, '--why=a look', `--data-dir=${dataDir}`],
    ]);
    expect({ code: added.code, stderr: added.stderr }).toMatchObject({ code: 0 });
    const mad: string[] = [];
    const storedMad = async (): Promise<string> => {
      const event = clickOf('mad');
      const where = await stored(event);
      if ((await metric(ugc.url, 'ugc_ruled_total')) > mad.length) mad.push(event.event_id);
      return where;
    };
    await eventually(async () => (await storedMad()) === 'pulsar' && mad.length > 0, { what: 'the rule holds' });
    const view = otherOf(random);
    await eventually(async () => (await stored(view)) === 'pulsar', { what: 'the view in Pulsar' });
    await drained(ugc);
    await eventually(async () => (await idsIn(ugc, 'page_view')).includes(view.event_id), { what: 'the view' });
    await eventually(async () => (await own.team.backlog(`${name}.click`, name)) === 0, { what: 'all clicks read' });
    expect((await idsIn(ugc, 'click')).filter(id => mad.includes(id))).toEqual([]);
    const aside: string[] = [];
    for (const partition of [0, 1])
      await own.team.readAll(`${name}.aside-partition-${partition}`, (_, value) =>
        aside.push(JSON.parse(value.toString()).event_id),
      );
    expect(aside.toSorted()).toEqual(mad.toSorted());
    expect(await own.team.backlog(`${name}.aside`, name)).toBe(mad.length);
    expect(await ugc.stop()).toBe(0);
  });

  test('an event whose message no WebSocket could carry is set aside with the reason, and holds up no other', async () => {
    const { ugc, dataDir, stored } = await started(own.newName(), [
      '--event-bytes-max=256KiB',
      '--pulsar-frame-bytes-max=64KiB',
    ]);
    const large = clickOf('large', { properties: { text: 'x'.repeat(100_000) } });
    expect(await stored(large)).toBe('disk');
    const after = clickOf('after');
    await eventually(async () => (await stored(after)) === 'pulsar', { what: 'the next in Pulsar' });
    await eventually(async () => (await metric(ugc.url, 'ugc_buffer_quarantined_events')) === 1, { what: 'set aside' });
    const inspected = await runUgc(['buffer', 'inspect', '--quarantine', `--data-dir=${dataDir}`]);
    expect(inspected).toMatchObject({ code: 0, stderr: '' });
    expect(inspected.stdout).toContain(large.event_id);
    expect(inspected.stdout).toMatch(/longer than Pulsar's WebSocket takes.*UGC_PULSAR_FRAME_BYTES_MAX/);
    await eventually(async () => (await idsIn(ugc, 'click')).includes(after.event_id), { what: 'the other' });
    expect(await ugc.stop()).toBe(0);
  });

  test('records of others are judged where they lie: good ones are rows, bad ones letters with a place that outlives redelivery', async () => {
    const name = own.newName();
    const { ugc, run, stored } = await started(name, ['--clickhouse-http-readonly=false']);
    const topic = `${name}.film`;
    const good = clickOf('stranger');
    const bad = { ...clickOf('stranger'), country: 5 };
    const values = [JSON.stringify(good), JSON.stringify(bad), '', 'no json', '{"a":\n1', new Uint8Array([0xff, 0xfe])];
    await own.team.write(topic, values, { key: 'k' });
    // Several to an entry: their producer gave them no place of their own.
    const batched = [clickOf('batched'), clickOf('batched')];
    await own.team.write(topic, [...batched.map(each => JSON.stringify(each)), 'neither json'], { isBatching: true });
    await eventually(
      async () =>
        (await idsIn(ugc, 'click')).filter(id => [good, ...batched].some(({ event_id }) => event_id === id)).length ===
        3,
      {
        what: 'rows of others',
      },
    );
    const letters = async () =>
      await ugc.query<{ place: string; reason: string; raw: string }>(
        `SELECT concat(topic, '/', toString(partition), '/', toString(dead_letters.position)) AS place, reason, raw FROM ugc.dead_letters ORDER BY place`,
      );
    await eventually(async () => (await letters()).length === 6, { what: 'six letters' });
    const before = await letters();
    expect(new Set(before.map(({ place }) => place)).size).toBe(6);
    expect(await metric(ugc.url, 'ugc_etl_halted')).toBe(0);

    // Read once more from the first record on: the same letters at the same places, and no row twice.
    const places = [0, 1].map(partition => `${topic}/${partition}=0`).join();
    const again = await startUgc({
      dataDir: temporaryFolder(),
      flags: [...own.flags(name), '--role=etl', `--from=${places}`, `--clickhouse-url=${ugc.clickhouseUrl}`],
    });
    const subscriptions = (await own.team.ask(`persistent/public/default/${topic}/subscriptions`)) as string[];
    const other = await eventually(
      async () =>
        ((await own.team.ask(`persistent/public/default/${topic}/subscriptions`)) as string[]).find(each =>
          each.includes('-from-'),
        ),
      { what: `another subscription than ${subscriptions}` },
    );
    await eventually(async () => (await own.team.backlog(topic, other)) === 0, { what: 'read again' });
    expect(await letters()).toEqual(before);
    const [{ n, ids }] = (await ugc.query<{ n: number; ids: number }>(
      'SELECT toUInt32(count()) AS n, toUInt32(uniqExact(event_id)) AS ids FROM ugc.click',
    )) as [{ n: number; ids: number }];
    expect(n).toBe(ids);
    expect(await again.stop()).toBe(0);

    // A place is where the trace finds it.
    const traced = JSON.parse((await run('trace', good.event_id, '--json')).stdout);
    expect(traced.rows).toHaveLength(1);
    const mine = clickOf('traced');
    await eventually(async () => (await stored(mine)) === 'pulsar');
    await eventually(async () => (await idsIn(ugc, 'click')).includes(mine.event_id), { what: 'the row' });
    expect(JSON.parse((await run('trace', mine.event_id, '--json')).stdout)).toMatchObject({
      pulsar: [{ topic }],
      unasked: {},
    });
    expect(await ugc.stop()).toBe(0);
  });

  test('flows are paused and drained by what lies in the data folder, and every event is one row', async () => {
    const name = own.newName();
    const dataDir = temporaryFolder();
    await flowsOfFolder({
      broker: 'pulsar',
      start: () => startUgc({ dataDir, flags: [...own.flags(name), '--request-log=false'] }),
      run: (...args) => runUgc([...args, ...own.flags(name), `--data-dir=${dataDir}`]),
      hang: () => own.pulsar.stop(),
      goOn: () => own.pulsar.cont(),
    });
  });

  test('receipts, the balance and the lag are what they are over any log', async () => {
    const name = own.newName();
    const { ugc, run, stored } = await started(name, ['--ledger']);
    const events = Array.from({ length: 20 }, (_, at) => clickOf(`u${at}`));
    for (const event of events) await stored(event);
    const id = events[7]!.event_id;
    const receipt = async () => (await (await fetch(`${ugc.url}/v1/receipts/${id}`)).json()) as { state: string };
    await eventually(async () => (await receipt()).state === 'stored', { what: 'a receipt of a row' });
    await drained(ugc);
    await eventually(async () => (await metric(ugc.url, 'ugc_etl_lag_events')) === 0, { what: 'no lag in events' });
    expect((await run('doctor')).stdout).toMatch(/✓ pulsar\.reach[\s\S]*✓ pulsar\.lag {2}0 events/);
    const said = await (await fetch(`${ugc.url}/metrics`)).text();
    expect(said).toMatch(/ugc_etl_lag_seconds\S* \d/);
    const balance = await eventually(
      async () => {
        const { code, stdout } = await run(
          'reconcile',
          '--json',
          `--to=${new Date(Date.now() + 120_000).toISOString()}`,
        );
        const read = stdout === '' ? null : JSON.parse(stdout);
        return code === 0 && read?.types.find((each: { type: string }) => each.type === 'click')?.rows >= 21 && read;
      },
      { what: 'a balance that closes' },
    );
    expect(balance.types.find((each: { type: string }) => each.type === 'click')).toMatchObject({ missing: 0 });
    expect(await ugc.stop()).toBe(0);
  });

  test('who is forgotten is told what lies in Pulsar and until when', async () => {
    const name = own.newName();
    const { ugc, run } = await started(name);
    const person = clickOf('ann');
    await ugc.post(person);
    await eventually(async () => (await idsIn(ugc, 'click')).includes(person.event_id), { what: 'the row' });
    const forgotten = async () => JSON.parse((await run('forget', '--user-id=ann', '--yes', '--json')).stdout);
    const places = (receipt: { remains: { place: string; what: string; until: string | null }[] }) =>
      receipt.remains.filter(({ place }) => place.startsWith('Pulsar'));
    const first = await forgotten();
    expect(first).toMatchObject({ is_complete: true, unreached: [] });
    expect(places(first)).toHaveLength(1);
    expect(places(first)[0]!.what).toMatch(/until every subscription has passed/);
    await own.team.tell('POST', 'namespaces/public/default/retention', {
      retentionTimeInMinutes: 120,
      retentionSizeInMB: -1,
    });
    const kept = places(await forgotten())[0]!;
    expect(kept.place).toContain(`${name}.film`);
    const inHours = (Date.parse(kept.until!) - Date.now()) / 3_600_000;
    expect(inHours).toBeGreaterThan(1.5);
    await own.team.tell('POST', 'namespaces/public/default/retention', {
      retentionTimeInMinutes: -1,
      retentionSizeInMB: -1,
    });
    expect(places(await forgotten())[0]).toMatchObject({ until: null, what: expect.stringContaining('for ever') });
    await own.team.tell('DELETE', 'namespaces/public/default/retention');
    expect(await ugc.stop()).toBe(0);
  });
});
