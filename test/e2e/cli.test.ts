// The command line: help, settings refused in words, and the query command on running and stopped instances.

import { expect, test } from 'bun:test';
import { copyFileSync } from 'node:fs';
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
