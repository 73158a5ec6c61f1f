// `ugc forget` and `ugc export-person` on the binary: beside a running instance and on a stopped one, and what they say.

import { afterAll, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { hmacTokenOf } from '../support/tokens.ts';
import { binary, cleanUp, eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

afterAll(cleanUp);

const user = '956939f6-7a98-4bf1-9949-500e5dd20fa0';
const other = 'somebody-else';

async function send(ugc: Ugc, of: Readonly<Record<string, unknown>>, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) {
    const { status } = await ugc.post({ event: { ...exampleClick, timestamp: new Date().toISOString(), ...of } });
    expect(status).toBe(200);
  }
}

const users = (ugc: Ugc) =>
  ugc.query('SELECT user_id, toUInt32(count()) AS n FROM ugc.click GROUP BY user_id ORDER BY user_id');

async function sentTo(ugc: Ugc): Promise<void> {
  await send(ugc, { user_id: user, anonymous_id: 'phone-1' }, 5);
  await send(ugc, { anonymous_id: 'phone-1' }, 2);
  await send(ugc, { user_id: other, anonymous_id: 'phone-1' }, 3);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 10, { what: 'ten rows' });
}

test('a person is exported and forgotten beside a running instance, and again once it has stopped', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, env: { UGC_LEDGER: 'true' } });
  const run = (...args: string[]) => runUgc([...args, `--data-dir=${dataDir}`]);
  await sentTo(ugc);

  const output = join(dataDir, 'person.ndjson');
  const exported = await run('export-person', `--user-id=${user}`, `--output=${output}`);
  expect(exported).toMatchObject({ code: 0, stdout: '' });
  expect(exported.stderr).toContain('exported 5 lines');
  expect(statSync(output).mode & 0o777).toBe(0o600);
  const lines = readFileSync(output, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(new Set(lines.map(({ place, row }) => `${place} ${row.user_id}`))).toEqual(new Set([`table/click ${user}`]));

  const dry = JSON.parse((await run('forget', `--user-id=${user}`, '--dry-run', '--json')).stdout);
  expect(dry).toMatchObject({ dry_run: true, is_complete: true, tables: [{ table: 'ugc.click', rows: 5 }] });
  expect(dry.also_known_as).toEqual(['phone-1']);
  const asked = await run('forget', `--user-id=${user}`);
  expect(asked).toMatchObject({ code: 2, stdout: '' });
  expect(asked.stderr).toContain('--yes');
  expect(await users(ugc)).toEqual([
    { user_id: user, n: 5 },
    { user_id: other, n: 3 },
    { user_id: null, n: 2 },
  ]);

  await send(ugc, { user_id: user }); // in the buffer or a row by now
  const done = await run('forget', `--user-id=${user}`, '--anonymous-id=phone-1', '--yes', '--json');
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
  const receipt = JSON.parse(done.stdout);
  expect(receipt).toMatchObject({ is_complete: true, content: null, tables: [{ rows: 8 }], unreached: [] });
  expect(receipt.person).toEqual(
    [user, 'phone-1'].map(id => `sha256:${createHash('sha256').update(id).digest('hex')}`),
  );
  expect(done.stdout).not.toContain(user);
  expect(await users(ugc)).toEqual([{ user_id: other, n: 3 }]);

  const { minutes, types } = await eventually(
    async () => {
      const { stdout } = await run('reconcile', '--json', `--to=${new Date(Date.now() + 120_000).toISOString()}`);
      const balance = stdout === '' ? null : JSON.parse(stdout);
      return balance?.types[0]?.unledgered === 0 ? balance : undefined;
    },
    { what: 'the ledger' },
  );
  expect({ minutes, types }).toMatchObject({
    minutes: [],
    types: [{ type: 'click', missing: 0, accepted: 3, rows: 3 }],
  });

  await send(ugc, { user_id: user });
  await eventually(async () => (await users(ugc)).length === 2, { what: 'a row after all' });
  await ugc.stop();
  const again = await run('forget', `--user-id=${user}`, '--yes');
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/ugc\.click +1 +1\n[\s\S]*Nothing is left where rows are read\.\n$/);
  expect((await run('forget', `--user-id=${user}`, '--yes')).stdout).toContain('The tables hold no row of it');
  expect((await run('export-person', `--user-id=${user}`)).stdout).toBe('');
});

test('the content store is cleared too, its counts go down, and a review may stay without its author', async () => {
  const dataDir = temporaryFolder();
  const secret = 'thirty-two bytes or more of a secret that everybody knows';
  const settings = ['--auth=jwt', `--jwt-secret=${secret}`, '--jwt-audience=*'];
  const ugc = await startUgc({ dataDir, flags: settings });
  const run = (...args: string[]) => runUgc([...args, ...settings, `--data-dir=${dataDir}`]);
  const as = async (sub: string, method: string, path: string, body?: unknown) => {
    const token = hmacTokenOf(secret, { sub, exp: 4_000_000_000, scope: 'content:write content:read' });
    const response = await fetch(ugc.url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    expect({ path, ok: response.ok }).toEqual({ path, ok: true });
    return response.status === 204 ? {} : await response.json();
  };
  const counts = async () => (await fetch(`${ugc.url}/v1/films/f`)).json();
  for (const sub of [user, other]) {
    await as(sub, 'PUT', '/v1/films/f/like', { value: 1 });
    await as(sub, 'PUT', '/v1/films/f/bookmark');
    await as(sub, 'PUT', '/v1/films/f/progress', { position: 600, duration: 3_600 });
    await as(sub, 'POST', '/v1/films/f/reviews', { rating: sub === user ? 9 : 5, text: `by ${sub}` });
  }
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.review_posted')).length === 2, { what: 'the rows' });

  const lines = (await run('export-person', `--user-id=${user}`)).stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  const places = new Set(lines.map(({ place }) => place));
  for (const kind of ['like', 'review', 'bookmark', 'viewing']) expect(places).toContain(`content/${kind}`);
  for (const type of ['film_liked', 'review_posted', 'progress_saved']) expect(places).toContain(`table/${type}`);
  expect(JSON.stringify(lines)).not.toContain(other);

  const kept = JSON.parse((await run('forget', `--user-id=${user}`, '--keep-reviews', '--yes', '--json')).stdout);
  expect(kept).toMatchObject({ is_complete: true, content: { likes: 1, reviews: 1, bookmarks: 1, viewings: 1 } });
  expect(await counts()).toMatchObject({ likes: 1, reviews: 2, bookmarks: 1, average_rating: 7 });
  const whole = JSON.parse((await run('forget', `--user-id=${other}`, '--yes', '--json')).stdout);
  expect(whole).toMatchObject({ is_complete: true, content: { likes: 1, reviews: 1 } });
  expect(await counts()).toMatchObject({ likes: 0, reviews: 1, bookmarks: 0, average_rating: 9 });
  expect(await ugc.query('SELECT user_id FROM ugc.events')).toEqual([]);
  expect(await run('reconcile', '--content')).toMatchObject({ code: 0 });
});

test('what waits in the buffer of a stopped instance is told, and is not complete', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: ['--role=ingest'] });
  await send(ugc, { user_id: user }, 2);
  await ugc.stop();
  const all = await startUgc({ dataDir: temporaryFolder() });
  const flags = [`--user-id=${user}`, '--yes', `--data-dir=${dataDir}`, `--clickhouse-url=${all.clickhouseUrl}`];
  const { code, stdout } = await runUgc(['forget', ...flags, '--json']);
  const receipt = JSON.parse(stdout);
  expect({ code, is_complete: receipt.is_complete, tables: receipt.tables }).toEqual({
    code: 1,
    is_complete: false,
    tables: [],
  });
  expect(receipt.remains[0]).toMatchObject({ place: 'disk buffer', records: 2 });
  expect(await runUgc(['export-person', ...flags.filter(flag => flag !== '--yes')])).toMatchObject({ code: 1 });
});

test('what cannot be reached is named, and keeps no other place from being cleared', async () => {
  const flags = [`--data-dir=${temporaryFolder()}`, '--clickhouse-url=http://127.0.0.1:1'];
  const { code, stdout } = await runUgc(['forget', `--user-id=${user}`, '--yes', '--json', ...flags]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ is_complete: false, unreached: [{ place: 'ClickHouse' }] });
});

test('on a terminal it asks, and only yes is yes', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  await send(ugc, { user_id: user });
  await eventually(async () => (await users(ugc)).length === 1, { what: 'the row' });
  const answered = async (answer: string): Promise<number> => {
    let seen = '';
    const child = Bun.spawn([binary, 'forget', `--user-id=${user}`, `--data-dir=${dataDir}`], {
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm' },
      terminal: {
        cols: 200,
        rows: 50,
        data: (terminal, bytes) => {
          seen += Buffer.from(bytes).toString();
          if (!seen.endsWith('(yes/no) ')) return;
          seen += '\n';
          terminal.write(`${answer}\n`);
        },
      },
    });
    return child.exited;
  };
  expect(await answered('y')).toBe(2);
  expect(await users(ugc)).toHaveLength(1);
  expect(await answered('yes')).toBe(0);
  expect(await users(ugc)).toEqual([]);
});

test('wrong use is said in words, with exit code 2', async () => {
  for (const command of ['forget', 'export-person']) {
    for (const args of [[], ['--user-id='], ['--anonymous-id= ,'], ['somebody', `--user-id=${user}`]]) {
      const { code, stderr } = await runUgc(
        [command, ...args, '--yes=true'].filter(arg => command === 'forget' || arg !== '--yes=true'),
      );
      expect({ args, code }).toEqual({ args, code: 2 });
      expect(stderr).toContain(`see ugc help ${command}`);
    }
  }
});
