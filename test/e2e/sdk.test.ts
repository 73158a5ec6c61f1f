// The SDK as it comes to others: the script out of the executable with what caches are told of it, and the package in a program
// of Node, whose compiler knows the events.

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

const root = join(import.meta.dir, '../..');
let ugc: Ugc;
let key = '';

beforeAll(async () => {
  const dataDir = temporaryFolder();
  key = (await runUgc(['keys', 'add', 'shop', `--data-dir=${dataDir}`])).stdout.trim();
  ugc = await startUgc({ dataDir, flags: ['--auth=keys'] });
}, 120_000);
afterAll(async () => {
  expect(await ugc.stop()).toBe(0);
});

const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(ugc.url + path, { headers, redirect: 'manual', decompress: false });

test('the script is there for pages of any origin, without a key, and small on the wire', async () => {
  const answer = await ask('/sdk.js', { origin: 'https://shop.example', 'accept-encoding': 'gzip, br' });
  const said = Object.fromEntries(answer.headers);
  expect(said).toMatchObject({
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
    'content-type': 'text/javascript; charset=utf-8',
    'content-encoding': 'gzip',
    vary: 'accept-encoding, origin',
  });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  expect(bytes.length).toBeLessThanOrEqual(5_200);
  const text = await (await ask('/sdk.js', { 'accept-encoding': 'identity' })).text();
  expect(new TextDecoder().decode(Bun.gunzipSync(bytes))).toBe(text);
  expect(text).toContain('.ugc=');
});

test('it is asked for again soon, kept for ever by its hash, and an older hash leads to it', async () => {
  const { headers } = await ask('/sdk.js');
  const etag = headers.get('etag')!;
  expect(headers.get('cache-control')).toContain('max-age=300');
  expect((await ask('/sdk.js', { 'if-none-match': etag })).status).toBe(304);
  expect((await ask('/sdk.js', { 'if-none-match': '"another"' })).status).toBe(200);
  const kept = await ask(`/sdk/${etag.replaceAll('"', '')}.js`);
  expect([kept.status, kept.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
  const older = await ask('/sdk/0123456789abcdef.js');
  expect([older.status, older.headers.get('location')]).toEqual([307, '/sdk.js']);
  for (const path of ['/sdk/x.js', '/sdk/..%2fetc', `/sdk/${etag.replaceAll('"', '')}`])
    expect((await ask(path)).status).toBe(404);
});

const program = `import { init } from '@ugc/browser/server';
const sdk = init({ url: process.env.UGC, key: process.env.KEY, common: { country: 'US', device: 'server' } });
for (let n = 0; n < 120; n++) sdk.track('click', { element: 'node', page_url: 'n' + n, user_id: 'u' + (n % 3) });
await sdk.flush();
`;

test.skipIf(Bun.which('node') === null)('the package in Node: it compiles, and each event is one row', async () => {
  const folder = temporaryFolder();
  const made = Bun.spawnSync([process.execPath, 'run', join(root, '.ci/sdk-package.ts')], { cwd: root });
  expect(made.exitCode).toBe(0);
  mkdirSync(join(folder, 'node_modules/@ugc'), { recursive: true });
  cpSync(join(root, 'dist/sdk'), join(folder, 'node_modules/@ugc/browser'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'program.js'), program);
  writeFileSync(
    join(folder, 'typed.ts'),
    `import { init } from '@ugc/browser';
init({ url: '' }).track('click', { element: 'a', page_url: '/' });
// @ts-expect-error There is no such field.
init({ url: '' }).track('click', { element: 'a', page_url: '/', colour: 'red' });
`,
  );
  const tsc = [join(root, 'node_modules/.bin/tsc'), '--noEmit', '--strict', '--module', 'nodenext', 'typed.ts'];
  const compiled = Bun.spawnSync(tsc, { cwd: folder });
  expect(compiled.stdout.toString()).toBe('');
  const ran = Bun.spawn(['node', 'program.js'], {
    cwd: folder,
    env: { ...process.env, UGC: ugc.url, KEY: key },
    stderr: 'pipe',
  });
  expect([await ran.exited, await new Response(ran.stderr).text()]).toEqual([0, '']);
  const rows = () =>
    ugc.query<{ page_url: string }>(`SELECT page_url FROM ugc.click WHERE element = 'node' AND source = 'shop'`);
  await eventually(async () => (await rows()).length >= 120, { what: 'a row for each' });
  expect(new Set((await rows()).map(({ page_url }) => page_url)).size).toBe(120);
  expect(await rows()).toHaveLength(120);
});
