// The embedded engine: every call by itself, inserts never behind guests, one process a folder.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, openEngine, type RunOptions } from '../../src/adapters/chdb/engine.ts';
import { type TemporaryEngine, temporaryEngine } from '../support/clickhouse.ts';
import { eventually } from '../support/until.ts';

let local: TemporaryEngine;
let engine: Engine;
beforeAll(() => {
  local = temporaryEngine();
  engine = local.engine;
});
afterAll(() => local[Symbol.asyncDispose]());

const ask = async (sql: string, options?: RunOptions): Promise<string> =>
  (await engine.query(sql, { ...options, format: 'TSVRaw' })).bytes.toString().trim();
const running = () => ask(`SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sleepEachRow(1)')`);
const codeOf = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 0,
    error => error.code,
  );

test('nothing of a call is left for another: database, settings, parameters, readonly, temporary tables', async () => {
  const usual = await ask("SELECT currentDatabase(), getSetting('max_threads'), getSetting('readonly')");
  await ask('SELECT {x:String}', {
    database: 'system',
    settings: { max_threads: 1 },
    params: { x: 'y' },
    readonly: true,
  });
  await ask('CREATE TEMPORARY TABLE left_behind (a Int8)');
  expect(await ask("SELECT currentDatabase(), getSetting('max_threads'), getSetting('readonly')")).toBe(usual);
  expect(await codeOf(engine.query('SELECT {x:String}'))).toBe(456);
  expect(await codeOf(engine.query('SELECT * FROM left_behind'))).toBe(60);
});

test('many calls at once with parameters of their own get answers of their own', async () => {
  const calls = Array.from({ length: 100 }, (_, i) => i);
  const answers = calls.map(i => ask('SELECT {i:UInt32}, sleep(0.001)', { params: { i: `${i}` }, guest: i % 2 === 0 }));
  expect(await Promise.all(answers)).toEqual(calls.map(i => `${i}\t0`));
});

test('async_insert is off', async () => {
  expect(await ask("SELECT getSetting('async_insert')")).toBe('false');
});

test('what is merged with a large part is at least five small ones', async () => {
  await ask('CREATE TABLE default.growing (a UInt64, t String) ENGINE = ReplacingMergeTree ORDER BY a');
  const insert = (from: number, rows: number) =>
    ask(`INSERT INTO default.growing SELECT number + ${from}, randomPrintableASCII(40) FROM numbers(${rows})`);
  const [large, small, inserts] = [20_000, 80, 40];
  await insert(0, large);
  for (let i = 0; i < inserts; i++) {
    await insert(large + i * small, small);
    await Bun.sleep(20); // in which there may be a merge: many of them at the end would be one
  }
  const parts = "FROM system.parts WHERE active AND table = 'growing'";
  // An insert is a merge of its own, by which repetitions in it go: its part is of level 1.
  expect(Number(await ask(`SELECT max(level) ${parts}`))).toBeLessThanOrEqual(1 + inserts / 5);
  expect(Number(await ask(`SELECT count() ${parts}`))).toBeLessThan(inserts);
});

test('inserts go on while guests keep the engine busy', async () => {
  await ask('CREATE TABLE default.busy (a UInt32) ENGINE = MergeTree ORDER BY a');
  // More of them than there are threads, and each goes on until it is told to end.
  const over = new AbortController();
  const slow = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1';
  let ended = 0;
  const guests = Array.from({ length: 10 }, () =>
    engine.query(slow, { guest: true, signal: over.signal }).catch(error => {
      ended++;
      return error.message;
    }),
  );
  for (let i = 0; i < 5; i++)
    await engine.insert({ into: 'INSERT INTO default.busy', format: 'JSONEachRow' }, Buffer.from(`{"a":${i}}\n`));
  expect(ended).toBe(0);
  expect(await ask('SELECT count() FROM default.busy')).toBe('5');
  over.abort(new Error('over'));
  expect(await Promise.all(guests)).toEqual(Array(10).fill('over'));
  await eventually(async () => (await running()) === '0', { what: 'their queries are killed' });
});

test('an aborted call rejects at once with the reason, and its query is killed', async () => {
  const giveUp = new AbortController();
  const slow = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1';
  let hasRejected = false;
  const call = engine.query(slow, { signal: giveUp.signal, guest: true }).catch(error => {
    hasRejected = true;
    return error;
  });
  await eventually(async () => (await running()) !== '0', { what: 'the query runs' });
  giveUp.abort(new Error('gone'));
  await Promise.resolve(); // nothing that the engine does is waited for
  await Bun.sleep(0);
  expect(hasRejected).toBe(true);
  expect((await call).message).toBe('gone');
  await eventually(async () => (await running()) === '0', { what: 'the query is killed' });
});

test('a call that is aborted before the engine has begun with it is killed as well', async () => {
  const slow = 'SELECT sleepEachRow(1) FROM numbers(600) SETTINGS max_block_size = 1';
  for (let round = 0; round < 50; round++) {
    const giveUp = new AbortController();
    const call = engine.query(slow, { signal: giveUp.signal, guest: true }).catch(error => error);
    giveUp.abort(new Error('gone'));
    expect((await call).message).toBe('gone');
  }
  await eventually(async () => (await running()) === '0', { what: 'all of them are killed' });
});

test('a query may not take more memory than a guest gets, nor may it ask for it', async () => {
  const hungry = 'SELECT length(groupArray(number)) FROM numbers(200000000)';
  expect(await codeOf(engine.query(hungry, { guest: true }))).toBe(241);
  for (const bytes of ['0', '100000000000'])
    expect(await codeOf(engine.query(`${hungry} SETTINGS max_memory_usage = ${bytes}`, { guest: true }))).toBe(452);
});

test('errors are ClickHouse’s, said once', async () => {
  for (const [sql, options] of [
    ['SELECT nope', {}],
    ['SELECT 1', { settings: { nope: 1 } }],
  ] as const) {
    const { message } = await engine.query(sql, options).catch(error => error);
    expect(message).toMatch(/^Code: \d+\. DB::Exception: (?!.*Exception)[\s\S]*\([A-Z_]+\)$/);
  }
});

test('a folder that is open in another process is refused in words', async () => {
  const script = join(import.meta.dir, '../support/clickhouse-server.ts');
  const second = Bun.spawn([process.execPath, 'run', script, engine.path, '0', 'readonly'], { stderr: 'pipe' });
  const said = await new Response(second.stderr).text();
  expect(await second.exited).not.toBe(0);
  expect(said).toContain(`The data folder ${engine.path} is open in another process`);
  expect(said).toContain('UGC_DATA_DIR');
});

test('a folder whose name ClickHouse would take for a pattern is refused before anything else', () => {
  const path = join(tmpdir(), 'ugc-{a,b}');
  try {
    expect(() => openEngine({ path, memoryBytesMax: 2 ** 30 })).toThrow('must not contain any of * ? { }');
  } finally {
    rmSync(path, { recursive: true });
  }
});

// Last: it closes the engine.
test('closing waits for inserts under way, refuses new calls, and may be done twice', async () => {
  await ask('CREATE TABLE default.last (a UInt32) ENGINE = MergeTree ORDER BY a');
  const rows = Buffer.from(Array.from({ length: 50_000 }, (_, i) => `{"a":${i}}\n`).join(''));
  const insert = engine.insert({ into: 'INSERT INTO default.last', format: 'JSONEachRow' }, rows);
  const guest = codeOf(
    engine.query('SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1', { guest: true }),
  );
  await Promise.all([engine.close(), engine.close()]);
  expect((await insert).summary.writtenRows).toBe(50_000);
  expect([236, 394]).toContain(await guest);
  expect(await codeOf(engine.query('SELECT 1'))).toBe(236);
});
