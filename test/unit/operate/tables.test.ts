// Who is asked for the tables.

import { afterAll, afterEach, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../../../src/config/read.ts';
import { asReader, holderOf } from '../../../src/operate/tables.ts';
import { removeInstance, writeInstance } from '../../../src/process/instance.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'ugc-holder-'));
const clickhouseKey = 'key';
afterEach(() => removeInstance(dataDir));
afterAll(() => rmSync(dataDir, { recursive: true }));

function configOf(...flags: readonly string[]) {
  const read = readConfig({ flags: [`--data-dir=${dataDir}`, ...flags], env: {} });
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.config;
}

test('a configured server is asked whatever the folder says, as its user, also by who only reads', async () => {
  const config = configOf('--clickhouse-url=http://ch:8123', '--clickhouse-user=me', '--clickhouse-password=secret');
  const holder = {
    url: 'http://ch:8123',
    user: 'me',
    password: 'secret',
    timeoutMs: 60_000,
    tls: {},
    isInstance: false,
  };
  expect(await holderOf(config)).toEqual(holder);
  expect(asReader(holder)).toEqual(holder);
});

test('nobody holds a folder without an instance, or with the note of one that was killed', async () => {
  expect(await holderOf(configOf())).toBeNull();
  const gone = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() });
  writeInstance(dataDir, { pid: 1, clickhouseUrl: `http://127.0.0.1:${gone.port}`, clickhouseKey });
  await gone.stop(true);
  expect(await holderOf(configOf())).toBeNull();
});

test('a running instance is asked with its key, but not by who only reads', async () => {
  const instance = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('Ok.\n') });
  const clickhouseUrl = `http://127.0.0.1:${instance.port}`;
  writeInstance(dataDir, { pid: process.pid, clickhouseUrl, clickhouseKey });
  const holder = await holderOf(configOf());
  await instance.stop(true);
  expect(holder).toMatchObject({ url: clickhouseUrl, user: 'ugc', password: clickhouseKey, isInstance: true });
  expect(asReader(holder!).password).toBe('');
});
