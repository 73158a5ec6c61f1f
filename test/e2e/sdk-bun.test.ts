// The package in a program of Bun, its server killed under it at any moment and started again: what it tracked meanwhile, before
// and after is one row each, and the program ends by itself once all is answered.

import { expect, test } from 'bun:test';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../support/free-ports.ts';
import { drained } from '../support/oracle.ts';
import { eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const root = join(import.meta.dir, '../..');

/** Tracks until it is told a line, says how far it is, and lives on as a server does until its input ends. */
const program = `import { init } from '@ugc/browser/server';
const sdk = init({
  url: process.env.UGC, key: process.env.KEY, common: { country: 'US', device: 'server' }, batchEvents: 7, batchMs: 20,
  queueEvents: 100_000, onDropped: (event, why) => console.error('dropped', why),
});
let isOver = false;
const told = (async () => { for await (const _ of console) isOver = true })();
for (let tracked = 0; !isOver; console.log(tracked)) {
  for (let n = 0; n < 5; n++) sdk.track('click', { element: 'bun', page_url: 'n' + tracked++, user_id: 'u' });
  await Bun.sleep(10);
}
console.log('over');
await told;
await sdk.flush();
`;

test('a server that is killed twice while a program of Bun tells it events: each is one row', async () => {
  const made = Bun.spawnSync([process.execPath, 'run', join(root, '.ci/sdk-package.ts')], { cwd: root });
  expect(made.exitCode).toBe(0);
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules/@ugc'), { recursive: true });
  cpSync(join(root, 'dist/sdk'), join(folder, 'node_modules/@ugc/browser'), { recursive: true });
  writeFileSync(join(folder, 'program.mjs'), program);

  const dataDir = temporaryFolder();
  const [port] = await freePorts(1);
  const key = (await runUgc(['keys', 'add', 'backend', `--data-dir=${dataDir}`])).stdout.trim();
  const start = () => startUgc({ dataDir, flags: ['--auth=keys', '--request-log=false', `--port=${port}`] });
  let ugc = await start();
  const child = Bun.spawn([process.execPath, 'run', 'program.mjs'], {
    cwd: folder,
    env: { PATH: process.env.PATH!, UGC: ugc.url, KEY: key },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const dropped = new Response(child.stderr).text();
  let tracked = 0;
  let isOver = false;
  const followed = (async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop()!;
      tracked = Math.max(tracked, ...lines.map(line => Number(line) || 0));
      isOver ||= lines.includes('over');
    }
  })();
  const more = async (count: number): Promise<void> => {
    const from = tracked;
    await eventually(() => tracked >= from + count, { what: `${count} more events` });
  };
  const rows = async () =>
    (await ugc.query<{ page_url: string }>("SELECT page_url FROM ugc.click WHERE source = 'backend'")).map(
      ({ page_url }) => page_url,
    );
  for (let kills = 0; kills < 2; kills++) {
    const before = (await rows()).length;
    await eventually(async () => (await rows()).length > before, { what: 'rows of this life' });
    ugc.kill('SIGKILL');
    await ugc.exited;
    await more(100);
    ugc = await start();
  }
  await more(50);
  child.stdin.write('enough\n');
  child.stdin.flush();
  await eventually(() => isOver, { what: 'the last event' });
  await eventually(async () => (await rows()).length >= tracked, { what: 'a row for each', pauseMs: 200 });
  child.stdin.end();
  expect([await child.exited, await dropped]).toEqual([0, '']);
  await followed;
  await drained(ugc);
  const found = await rows();
  expect(found.toSorted()).toEqual(Array.from({ length: tracked }, (_, n) => `n${n}`).toSorted());
  expect(await ugc.stop()).toBe(0);
}, 200_000);
