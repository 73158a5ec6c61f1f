// `ugc schema …` by the compiled binary: what it prints is what the server makes, and what it checks is what is there.

import { afterAll, expect, test } from 'bun:test';
import { catalogue } from '../../schemas/catalogue.ts';
import { startClickhouseServer } from '../support/clickhouse.ts';
import { typeFiles, typeJson } from '../support/type-files.ts';
import { runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const server = await startClickhouseServer();
const clickhouse = [`--clickhouse-url=${server.url}`];
afterAll(() => server.remove());

const schema = (...args: string[]) => runUgc(['schema', ...args]);
const command = async (sql: string) => {
  const response = await fetch(server.url, { method: 'POST', body: sql });
  if (!response.ok) throw new Error(`${sql}: ${await response.text()}`);
};

test('ls and show name every type, as a table and as JSON', async () => {
  const { stdout, code } = await schema('ls');
  expect(code).toBe(0);
  for (const { name } of catalogue.types) expect(stdout).toContain(`\n${name} `);
  const lines = (await schema('ls', '--json')).stdout.trim().split('\n');
  expect(lines.map(line => (JSON.parse(line) as { type: string }).type)).toEqual(
    catalogue.types.map(({ name }) => name),
  );
  const shown = JSON.parse((await schema('show', 'LoggingIn', '--json')).stdout) as Record<string, unknown>;
  expect(shown).toMatchObject({ type: 'logging_in', family: 'marketplace', example: { event_type: 'LoggingIn' } });
  expect((await schema('show', 'click')).stdout).toContain('page_url');
});

test('a word or a type that is not there is told with the nearest, and exit code 2', async () => {
  expect(await schema('shwo')).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean show?') });
  expect(await schema('show', 'clik')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean click?'),
  });
  expect(await schema()).toMatchObject({ code: 2, stderr: expect.stringContaining('ls, show, ddl') });
  expect((await runUgc(['help', 'schema'])).stdout).toContain('ugc schema');
});

test('ddl makes a database that check and diff find no fault with; a changed one they do, in words', async () => {
  expect(await schema('check', ...clickhouse)).toMatchObject({ code: 0 });
  expect(await schema('diff', ...clickhouse)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('CREATE TABLE'),
  });
  await command('CREATE DATABASE ugc');
  const { stdout } = await schema('ddl', ...clickhouse);
  for (const statement of stdout.split(/;\n/).filter(text => text.trim() !== ''))
    await command(statement.replace(/;\s*$/, ''));
  const quiet = await schema('diff', ...clickhouse);
  expect(quiet).toMatchObject({ code: 0 });
  expect(quiet.stdout).not.toContain('CREATE');
  expect(await schema('check', ...clickhouse)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('the tables fit'),
  });

  await command('ALTER TABLE ugc.click_rows DROP COLUMN element');
  expect(await schema('diff', 'click', ...clickhouse)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('ADD COLUMN IF NOT EXISTS `element`'),
  });
  await command('ALTER TABLE ugc.click_rows ADD COLUMN element UInt8');
  const broken = await schema('check', '--json', ...clickhouse);
  expect(broken.code).toBe(1);
  expect(JSON.parse(broken.stdout)).toMatchObject({
    ok: false,
    published: [],
    clickhouse: { problems: [expect.stringContaining('ugc.click_rows: column element is UInt8, wanted String')] },
  });
  expect(await schema('check', 'page_view', ...clickhouse)).toMatchObject({ code: 0 });
});

test('check asks a running instance, then the folder it left', async () => {
  const dataDir = temporaryFolder();
  const flag = `--data-dir=${dataDir}`;
  expect(await schema('check', flag)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to check') });
  const ugc = await startUgc({ dataDir });
  expect(await schema('diff', flag)).toMatchObject({ code: 0, stdout: expect.stringContaining('http://127.0.0.1') });
  expect(await ugc.stop()).toBe(0);
  expect(await schema('diff', flag)).toMatchObject({ code: 0, stdout: expect.stringContaining(dataDir) });
});

test('a ClickHouse that cannot be asked is told, not taken for one that fits', async () => {
  const { code, stdout } = await schema('check', '--clickhouse-url=http://127.0.0.1:1');
  expect(code).toBe(1);
  expect(stdout).toContain('no answer from ClickHouse');
});

test('check warns of what a type file says and ugc does not hold to, and takes the file', async () => {
  const files = typeFiles(temporaryFolder());
  const { description: _, examples: __, ...bare } = typeJson('bare');
  files.write({ ...bare, properties: { ...bare.properties, mail: { type: 'string', format: 'email', default: 'x' } } });
  const flags = [`--schemas-dir=${files.folder}`, `--data-dir=${temporaryFolder()}`];
  const { code, stdout } = await schema('check', ...flags);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^warning: bare\.json:1 has no description/m);
  expect(stdout).toMatch(/^warning: bare\.json:\d+ \/properties\/mail\/format is not checked/m);
  expect(stdout).toMatch(/^warning: bare\.json:\d+ \/properties\/mail\/default is not filled in/m);
  expect((await schema('check', 'click', ...flags)).stdout).not.toContain('warning: ');
  const { warnings } = JSON.parse((await schema('check', '--json', ...flags)).stdout) as { warnings: string[] };
  expect(warnings).toHaveLength(stdout.match(/^warning: /gm)!.length);
  const shown = JSON.parse((await schema('show', 'bare', '--json', ...flags)).stdout) as Record<string, unknown>;
  expect(shown.example).toMatchObject({ event_type: 'bare', film_id: 'film_id' });
});
