// The command line: help, settings refused in words, and the query command on running and stopped instances.

import { expect, test } from 'bun:test';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { binary, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const click = { ...exampleClick, event_id: '0193a0f0-0000-7000-8000-000000000001' };

test('help says how to start, and help config lists every setting', async () => {
  for (const args of [['help'], ['--help'], ['-h']]) expect((await runUgc(args)).stdout).toContain('Usage');
  expect((await runUgc(['help', 'query'])).stdout).toContain('ugc query "SELECT');
  expect((await runUgc(['help', 'config'])).stdout).toContain('UGC_BUFFER_BYTES_MAX');
  expect((await runUgc(['help', 'nothing'])).code).toBe(2);
});

test('all wrong settings are told at once, with the nearest names, and exit code 2', async () => {
  const { code, stderr } = await runUgc(['--prot=1', '--log-level=loud', '--host=0.0.0.0'], {
    env: { UGC_BUFER_BYTES_MAX: '1' },
  });
  expect(code).toBe(2);
  for (const words of ['did you mean --port?', 'did you mean UGC_BUFFER_BYTES_MAX?', 'UGC_LOG_LEVEL'])
    expect(stderr).toContain(words);
  expect((await runUgc(['--host=0.0.0.0'])).stderr).toContain('UGC_AUTH');
  expect((await runUgc(['qery', 'SELECT 1'])).code).toBe(2);
  expect((await runUgc(['--port=0', 'stray'])).code).toBe(2);
});

test('query reads a running instance, then the stopped one, in tables and in JSON', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  expect((await ugc.post(click)).status).toBe(200);
  await drained(ugc);
  const ask = (...args: string[]) => runUgc(['query', ...args, `--data-dir=${dataDir}`]);
  const running = await ask('SELECT element FROM click', '--json');
  expect(running).toMatchObject({ code: 0, stdout: '{"element":"play"}\n' });
  for (const sql of ['-- the last ones\nSELECT element FROM click', '--all\nSELECT element FROM click'])
    expect(await ask(sql, '--json')).toMatchObject({ code: 0, stdout: '{"element":"play"}\n' });
  expect(await ask('--jsn', 'SELECT 1')).toMatchObject({ code: 2, stderr: expect.stringContaining('--json?') });
  expect((await ask('SELECT elemnt FROM click')).stderr).toContain('elemnt');
  expect((await ask('DROP TABLE click_rows')).code).toBe(1);
  expect(await ugc.stop()).toBe(0);
  const stopped = await ask('SELECT element, page_url FROM click');
  expect(stopped.code).toBe(0);
  expect(stopped.stdout).toContain('https://example.com/');
  expect((await ask('DROP TABLE click_rows')).code).toBe(1);
  expect((await runUgc(['query', 'SELECT 1', `--data-dir=${temporaryFolder()}`])).stderr).toContain('--data-dir');
  expect((await ask()).code).toBe(2);
});

test('a query looks at no files and changes nothing, running or stopped; a verb that is none is a syntax error', async () => {
  const dataDir = temporaryFolder();
  const out = join(temporaryFolder(), 'out');
  const ugc = await startUgc({ dataDir });
  const ask = (sql: string) => runUgc(['query', sql, `--data-dir=${dataDir}`]);
  const refused = async () => {
    for (const sql of [`SELECT 1 INTO OUTFILE '${out}'`, `SELECT * FROM file('${out}', 'CSV', 'a String')`]) {
      const { code, stderr } = await ask(sql);
      expect([sql, code, stderr]).toEqual([sql, 1, expect.stringContaining('ACCESS_DENIED')]);
    }
    expect((await ask('SELCT 1')).stderr).toContain('SYNTAX_ERROR');
    expect((await ask('DROP TABLE click_rows')).stderr).toContain('READONLY');
  };
  await refused();
  expect(await ugc.stop()).toBe(0);
  await refused();
  expect(existsSync(out)).toBe(false);
});

test.each(['utc', 'Local', '+10', 'CET-1CEST,M3.5.0,M10.5.0/3', 'right/UTC', 'Nowhere/Land', ''])(
  'times are UTC whatever the machine’s zone is called, and nothing is asked through its proxy: %s',
  async zone => {
    const env = { TZ: zone, LC_ALL: 'tr_TR.UTF-8', http_proxy: 'http://127.0.0.1:9', HTTP_PROXY: 'http://127.0.0.1:9' };
    const dataDir = temporaryFolder();
    const ugc = await startUgc({ dataDir, env });
    const asked = await runUgc(['query', 'SELECT timezone() AS zone', '--json', `--data-dir=${dataDir}`], { env });
    expect(asked).toMatchObject({ code: 0, stdout: '{"zone":"UTC"}\n' });
    expect(await ugc.stop()).toBe(0);
  },
);

test.each(['*', '?', '{a}', '\\'])(
  'a data folder whose path the engine would not find is refused in words: %s',
  async sign => {
    const { code, stderr } = await runUgc([`--data-dir=${join(temporaryFolder(), `a${sign}b`)}`, '--port=0']);
    expect(code).toBe(1);
    expect(stderr).toContain('its path must not contain any of');
  },
);

test('SIGHUP ends nothing, with or without event types of one’s own', async () => {
  const ugc = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest'] });
  for (let times = 0; times < 3; times++) ugc.kill('SIGHUP');
  expect((await ugc.post(click)).status).toBe(200);
  expect(await ugc.stop()).toBe(0);
});

test('without its native library the binary says what is missing, and still ingests', async () => {
  const alone = join(temporaryFolder(), 'ugc');
  copyFileSync(binary, alone);
  const all = await runUgc([`--data-dir=${temporaryFolder()}`, '--port=0'], { command: alone });
  expect(all.code).toBe(1);
  expect(all.stderr).toContain('UGC_CLICKHOUSE_URL');
  const ingest = await startUgc({ dataDir: temporaryFolder(), flags: ['--role=ingest'], command: alone });
  expect((await ingest.post(click)).status).toBe(200);
  expect(await ingest.stop()).toBe(0);
});

test('reading again is refused in words where there is nothing to read again', async () => {
  const embedded = await runUgc(['--role=etl', '--from=2026-11-01T00:00Z']);
  expect(embedded.code).toBe(2);
  expect(embedded.stderr).toContain('forgets events once they are rows');
  const flags = ['--role=etl', '--kafka-brokers=127.0.0.1:1', '--clickhouse-url=http://127.0.0.1:1', '--port=0'];
  const strange = await runUgc([...flags, '--from=ugc.clik/0=5', `--data-dir=${temporaryFolder()}`]);
  expect(strange.code).toBe(1);
  expect(strange.stderr).toContain('did you mean ugc.click?');
});
