// What `ugc doctor` says of ClickHouse, staged on a real engine behind its HTTP interface: who is let in and what for, tables
// that are missing, behind, read-only or of too many parts. That it is away or hangs is in incidents.test.ts.
//
// A wrong password alone is said by the gate in front of it, in ClickHouse's words: the embedded engine asks for none.

import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { type ClickhouseServer, startClickhouseServer } from '../support/clickhouse.ts';
import { type ClickhouseGate, clickhouseGate } from '../support/clickhouse-gate.ts';
import { assertFinds, type Diagnosis, doctor } from '../support/doctor.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

let clickhouse: ClickhouseServer;
let gate: ClickhouseGate;
beforeAll(async () => {
  clickhouse = await startClickhouseServer();
  gate = clickhouseGate({ target: Number(new URL(clickhouse.url).port), onBroken: () => {} });
  // The tables as a start makes them.
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--clickhouse-url=${clickhouse.url}`, '--role=etl'],
  });
  expect(await ugc.stop()).toBe(0);
  expect((await diagnosis()).of('clickhouse.tables')).toMatchObject([{ result: 'success' }]);
});
afterAll(async () => {
  cleanUp();
  await gate?.close();
  await clickhouse?.remove();
});
beforeEach(() => {
  gate.impose({});
  gate.askFor('');
});

const diagnosis = (more: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Diagnosis> =>
  doctor([`--data-dir=${temporaryFolder()}`, `--clickhouse-url=http://127.0.0.1:${gate.port}`, ...more], env);

async function tell(sql: string): Promise<string> {
  const response = await fetch(clickhouse.url, { method: 'POST', body: sql });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

/** As long as it is on. */
async function during(begin: string, end: string, look: () => Promise<void>): Promise<void> {
  await tell(begin);
  try {
    await look();
  } finally {
    await tell(end);
  }
}

test('a wrong password: whose, and which setting to look at; before a start, too', async () => {
  gate.askFor('the right one');
  const env = { UGC_CLICKHOUSE_PASSWORD: 'another one' };
  for (const more of [[], ['--before-start']]) {
    const found = await diagnosis(more, env);
    await assertFinds(found, 'clickhouse.login', /Authentication failed/);
    expect(found.of('clickhouse.login')[0]!.hint).toContain('UGC_CLICKHOUSE_PASSWORD');
    expect(JSON.stringify(found.checks)).not.toContain('another one');
    // The others say nothing where the server lets nobody in.
    expect(found.checks.filter(({ id }) => id.startsWith('clickhouse.')).map(({ id }) => id)).toEqual([
      'clickhouse.login',
    ]);
  }
  const right = await diagnosis([], { UGC_CLICKHOUSE_PASSWORD: 'the right one' });
  expect(right.of('clickhouse.reach')).toMatchObject([{ result: 'success' }]);
});

test('a user who may only read', async () => {
  gate.impose({ readonly: '2' });
  const found = await diagnosis();
  await assertFinds(found, 'clickhouse.reach', /who may only read/);
  expect(found.of('clickhouse.reach')[0]!.hint).toContain('readonly=0');
});

test('tables that are not there, and who is to make them', async () => {
  const elsewhere = ['--clickhouse-database=nobody_made'];
  const made = await diagnosis(elsewhere);
  expect(made.of('clickhouse.tables')).toMatchObject([
    { result: 'success', seen: expect.stringMatching(/statements missing.*the start makes them/) },
  ]);
  const checked = await diagnosis([...elsewhere, '--clickhouse-migrate=check']);
  await assertFinds(checked, 'clickhouse.tables', /statements missing/);
  expect(checked.of('clickhouse.tables')[0]!.hint).toContain('ugc schema diff');
  await assertFinds(
    await diagnosis([...elsewhere, '--clickhouse-migrate=off']),
    'clickhouse.tables',
    /missing/,
    'warning',
  );
  expect(await tell("SELECT count() FROM system.databases WHERE name = 'nobody_made'")).toBe('0\n');
});

test('a table that is behind its type: a warning where a start mends it, wrong where nobody does; what it says to do helps', async () => {
  await tell('ALTER TABLE ugc.click_rows DROP COLUMN page_url');
  await assertFinds(await diagnosis(), 'clickhouse.tables', /missing until the tables fit/, 'warning');
  const found = await diagnosis(['--clickhouse-migrate=check']);
  await assertFinds(found, 'clickhouse.tables', /missing until the tables fit/);
  // An instance that is started so moves nothing, and says why.
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    flags: [`--clickhouse-url=${clickhouse.url}`, '--role=etl', '--clickhouse-migrate=check'],
  });
  const trouble = async () =>
    ((await (await fetch(`${ugc.url}/healthz/ready`)).json()) as { readonly detail: Record<string, string> }).detail
      .clickhouse;
  await eventually(async () => (await trouble())?.includes('lacks something'), { what: 'it says what is missing' });
  const { stdout } = await runUgc([
    'schema',
    'diff',
    `--data-dir=${temporaryFolder()}`,
    `--clickhouse-url=${clickhouse.url}`,
  ]);
  const statements = [...stdout.matchAll(/^ClickHouse, \S+: ((?:ALTER|CREATE) .*)$/gm)].map(([, text]) => text!);
  expect(statements).toHaveLength(1);
  for (const statement of statements) await tell(statement);
  expect((await diagnosis(['--clickhouse-migrate=check'])).of('clickhouse.tables')).toMatchObject([
    { result: 'success' },
  ]);
  await eventually(async () => (await trouble()) === undefined, { what: 'it goes on by itself' });
  expect(await ugc.stop()).toBe(0);
});

test('too many parts, by the limit of the table itself', async () => {
  const rows = 'ugc.page_view_rows';
  const limits = 'parts_to_delay_insert = 8, parts_to_throw_insert = 12';
  await tell(`SYSTEM STOP MERGES ${rows}`);
  await during(
    `ALTER TABLE ${rows} MODIFY SETTING ${limits}`,
    `ALTER TABLE ${rows} RESET SETTING parts_to_delay_insert, parts_to_throw_insert`,
    async () => {
      const insert = (count: number) =>
        Promise.all(
          Array.from({ length: count }, () =>
            tell(
              `INSERT INTO ${rows} (event_id, timestamp, received_at) SETTINGS async_insert = 0 VALUES (generateUUIDv4(), '2026-11-01 00:00:00', '2026-11-01 00:00:00')`,
            ),
          ),
        );
      await insert(3);
      const few = await diagnosis();
      expect(few.of('clickhouse.parts')).toMatchObject([
        { result: 'success', seen: expect.stringContaining('from 8 on') },
      ]);
      await insert(2);
      await assertFinds(await diagnosis(), 'clickhouse.parts', /page_view_rows has 5 parts.*from 8 on/, 'warning');
      await insert(4);
      await assertFinds(await diagnosis(), 'clickhouse.parts', /page_view_rows has 9 parts.*from 12 on refused/);
    },
  );
  await tell(`SYSTEM START MERGES ${rows}`);
});

test('a table that was made read-only, and what it says to do helps', async () => {
  await tell('ALTER TABLE ugc.click_rows MODIFY SETTING table_readonly = 1');
  const found = await diagnosis();
  await assertFinds(found, 'clickhouse.readonly', /click_rows/);
  const [statement = ''] = found.of('clickhouse.readonly')[0]!.hint!.split(', once');
  await tell(statement);
  expect((await diagnosis()).of('clickhouse.readonly')).toEqual([]);
});

test('a change of a table that fails', async () => {
  await tell(
    `INSERT INTO ugc.click_rows (event_id, timestamp, received_at) SETTINGS async_insert = 0 VALUES (generateUUIDv4(), now64(3), now64(3))`,
  );
  await tell(
    `ALTER TABLE ugc.click_rows UPDATE element = toString(throwIf(1, 'it cannot be')) WHERE 1 SETTINGS mutations_sync = 0`,
  );
  try {
    const found = await eventually(
      async () => {
        const told = await diagnosis();
        return told.of('clickhouse.mutations').length > 0 ? told : null;
      },
      { what: 'the failing change is seen' },
    );
    await assertFinds(found, 'clickhouse.mutations', /click_rows: .*it cannot be/);
  } finally {
    await tell("KILL MUTATION WHERE table = 'click_rows' SYNC");
  }
});
