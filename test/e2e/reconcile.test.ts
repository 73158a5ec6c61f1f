// `ugc reconcile` on the compiled binary: a balance that closes in spite of repetitions, one that does not and says where,
// and what a killed instance costs.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const flags = ['--ledger', '--clickhouse-http-readonly=false'];
const custom = { event_type: 'custom', timestamp: exampleClick.timestamp, country: 'US', device: 'mobile', name: 'x' };

/** The minute that runs is in it. */
const soon = (): string => `--to=${new Date(Date.now() + 120_000).toISOString()}`;

async function reconcile(dataDir: string) {
  const { code, stdout, stderr } = await runUgc(['reconcile', '--json', soon(), `--data-dir=${dataDir}`]);
  return { code, stderr, ...JSON.parse(stdout || '{}') };
}

async function change(ugc: Ugc, sql: string): Promise<void> {
  const response = await fetch(ugc.clickhouseUrl, { method: 'POST', body: sql });
  expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: '' });
}

const idsOf = async (response: Response): Promise<string[]> =>
  ((await response.json()) as { results: { event_id: string }[] }).results.map(({ event_id }) => event_id);

test('repetitions within a request, across requests and after a restart are counted as such, and the balance closes', async () => {
  const dataDir = temporaryFolder();
  const id = Bun.randomUUIDv7();
  const first = await startUgc({ dataDir, flags });
  await first.post([...Array(50).fill(exampleClick), ...Array(30).fill(custom), { event_type: 'click' }]);
  await first.post([
    { ...exampleClick, event_id: id },
    { ...exampleClick, event_id: id },
  ]);
  await first.post({ ...exampleClick, event_id: id });
  expect(await first.stop()).toBe(0);
  const second = await startUgc({ dataDir, flags });
  await second.post({ ...exampleClick, event_id: id });
  expect(await second.stop()).toBe(0);
  const quiet = await startUgc({ dataDir });
  await drained(quiet);
  const running = await reconcile(dataDir);
  expect(running).toMatchObject({ code: 0, closes: true, minutes: [], instances: [] });
  const none = { waiting: 0, dead: 0, missing: 0, failed: 0, unledgered: 0 };
  expect(running.types).toEqual([
    { type: 'click', accepted: 54, repeated: 3, ...none, rows: 51 },
    { type: 'custom', accepted: 30, repeated: 0, ...none, rows: 30 },
  ]);
  expect(await quiet.query('SELECT event_type FROM ugc.events GROUP BY event_type ORDER BY event_type')).toEqual([
    { event_type: 'click' },
    { event_type: 'custom' },
  ]);
  expect(await quiet.stop()).toBe(0);
  const { code, stdout } = await runUgc(['reconcile', soon(), `--data-dir=${dataDir}`]);
  expect({ code, closes: stdout.includes('The balance closes.') }).toEqual({ code: 0, closes: true });
}, 60_000);

test('rows that are lost are named by minute, type and id; a dead letter accounts for its event', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags });
  const ids = await idsOf(await ugc.post(Array(20).fill(exampleClick)));
  await ugc.post(Array(10).fill(custom));
  expect(await ugc.stop()).toBe(0);
  const again = await startUgc({ dataDir, flags });
  await drained(again);
  const [lost, dead] = ids as [string, string];
  await change(
    again,
    `ALTER TABLE ugc.click_rows DELETE WHERE event_id IN ('${lost}', '${dead}') SETTINGS mutations_sync = 2`,
  );
  await change(
    again,
    `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ('ugc.click', 0, 7, 0, 'refused', '', '{"event_id":"${dead}"}', now(), now())`,
  );
  const balance = await reconcile(dataDir);
  expect(balance).toMatchObject({
    code: 1,
    closes: false,
    minutes: [{ type: 'click', missing: 1, missing_ids: [lost] }],
  });
  expect(balance.minutes[0].minute).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\dZ$/);
  expect(balance.types[0]).toMatchObject({ type: 'click', accepted: 20, dead: 1, missing: 1, rows: 18, unledgered: 0 });

  // Given up for good it accounts for its event all the same.
  const { code, stdout } = await runUgc(['dead', 'dismiss', 'ugc.click/0/7', `--data-dir=${dataDir}`]);
  expect([code, stdout]).toEqual([0, '1 dead letter dismissed: 1 refused\n']);
  expect((await reconcile(dataDir)).types[0]).toMatchObject({ type: 'click', dead: 1, missing: 1 });

  // Sent again it is a row, and the balance closes.
  await again.post({ ...exampleClick, event_id: lost });
  await eventually(async () => (await reconcile(dataDir)).closes === true);

  // An entry of the ledger that is lost is seen as well: what it told of is a row nobody's ledger knows.
  await change(again, `ALTER TABLE ugc.ledger_rows DELETE WHERE type = 'custom' SETTINGS mutations_sync = 2`);
  const gap = await reconcile(dataDir);
  expect(gap).toMatchObject({ code: 1, closes: false, minutes: [] });
  expect(gap.instances).toContainEqual(expect.objectContaining({ isClosed: true, lacking: 1 }));
  expect(gap.types.find(({ type }: { type: string }) => type === 'custom')).toMatchObject({
    accepted: 0,
    unledgered: 10,
  });
  expect(await again.stop()).toBe(0);
}, 60_000);

test('what a killed instance has not written down is rows no ledger knows; nothing is missing', async () => {
  const dataDir = temporaryFolder();
  const killed = await startUgc({ dataDir, flags });
  await killed.post(Array(5_000).fill(exampleClick)); // whole entries leave at once
  await killed.post(Array(7).fill(custom));
  await eventually(async () => (await killed.query('SELECT 1 FROM ugc.ledger'))[4]);
  killed.kill('SIGKILL');
  await killed.exited;
  const ugc = await startUgc({ dataDir });
  await drained(ugc);
  const balance = await reconcile(dataDir);
  expect(balance).toMatchObject({ code: 0, closes: true, instances: [{ isClosed: false, lacking: 0 }] });
  expect(
    balance.types.map(({ type, accepted, unledgered, rows }: Record<string, unknown>) => [
      type,
      accepted,
      unledgered,
      rows,
    ]),
  ).toEqual([
    ['click', 5_000, 0, 5_000],
    ['custom', 0, 7, 7],
  ]);
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('events that wait in the buffer for a table that takes no rows are accounted for, and are rows afterwards', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags });
  await ugc.post(exampleClick);
  await drained(ugc);
  await change(ugc, 'ALTER TABLE ugc.click_rows MODIFY SETTING parts_to_throw_insert = 1');
  await ugc.post(Array(5).fill(exampleClick));
  const waiting = await eventually(async () => {
    const balance = await reconcile(dataDir);
    return balance.types?.[0]?.accepted === 6 && balance;
  });
  expect(waiting).toMatchObject({ code: 0, closes: true, types: [{ type: 'click', waiting: 5, missing: 0, rows: 1 }] });
  await change(ugc, 'ALTER TABLE ugc.click_rows MODIFY SETTING parts_to_throw_insert = 3000');
  await drained(ugc);
  expect((await reconcile(dataDir)).types[0]).toMatchObject({ waiting: 0, missing: 0, rows: 6 });
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('a row whose sender was told of a failure is one of its own, until it is accepted after all', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: ['--clickhouse-http-readonly=false'] });
  const id = Bun.randomUUIDv7();
  await ugc.post({ ...exampleClick, event_id: id });
  await drained(ugc);
  const instance = crypto.randomUUID();
  const write = (sequence: number, ids: readonly string[], unsure: readonly string[]) => {
    const list = (of: readonly string[]): string => `[${of.map(each => `'${each}'`).join(',')}]`;
    return change(
      ugc,
      `INSERT INTO ugc.ledger_rows (event_id, event_type, schema_version, received_at, timestamp, instance, sequence, is_last, type, ids, unsure)
       SELECT generateUUIDv4(), 'ledger', 1, now(), toStartOfMinute(received_at), '${instance}', ${sequence}, false, 'click', ${list(ids)}, ${list(unsure)}
       FROM ugc.click`,
    );
  };
  await write(1, [], [id]);
  const failed = { type: 'click', accepted: 0, failed: 1, unledgered: 0, rows: 1 };
  expect(await reconcile(dataDir)).toMatchObject({ code: 0, closes: true, types: [failed] });
  await write(2, [id], []);
  const accepted = { type: 'click', accepted: 1, repeated: 0, failed: 0, unledgered: 0, rows: 1 };
  expect(await reconcile(dataDir)).toMatchObject({ code: 0, closes: true, types: [accepted] });
  expect(await ugc.stop()).toBe(0);
}, 60_000);

test('without a ledger it says how to have one; a time that is none, or ends before it begins, is wrong use', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  await ugc.post(exampleClick);
  await drained(ugc);
  expect(await ugc.stop()).toBe(0);
  const none = await reconcile(dataDir);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('UGC_LEDGER=true');
  for (const wrong of [['--from=yesterday'], ['--from=2026-11-02T00:00Z', '--to=2026-11-01T00:00Z'], ['now']])
    expect((await runUgc(['reconcile', ...wrong, `--data-dir=${dataDir}`])).code).toBe(2);
}, 60_000);
