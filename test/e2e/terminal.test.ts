// What a person in front of a terminal sees when ugc starts: a few lines, no JSON.

import { expect, test } from 'bun:test';
import { stripVTControlCharacters } from 'node:util';
import { binary, eventually, temporaryFolder } from '../support/ugc.ts';

test('a first start on a terminal is readable: what was made, where it listens, what to try, each request in words', async () => {
  let seen = '';
  const ugc = Bun.spawn([binary, '--port=0', '--clickhouse-http-port=0', `--data-dir=${temporaryFolder()}`], {
    env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color' },
    terminal: {
      cols: 200,
      rows: 50,
      data: (_, bytes) => {
        seen += Buffer.from(bytes).toString();
      },
    },
  });
  await eventually(async () => seen.includes('/metrics'), { what: 'it is ready' });
  const url = /POST (http:\S+)\/v1\/events/.exec(stripVTControlCharacters(seen))![1]!;
  expect((await fetch(url)).status).toBe(200);
  await eventually(async () => seen.includes('GET / 200'), { what: 'the request is told' });
  ugc.kill('SIGINT');
  expect(await ugc.exited).toBe(0);

  const lines = stripVTControlCharacters(seen)
    .split(/[\r\n]+/)
    .filter(line => line.trim() !== '');
  expect(lines[0]).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: making \d+ tables and \d+ views in ClickHouse's database ugc/);
  expect(lines.filter(line => line.startsWith('{'))).toEqual([]);
  expect(lines.filter(line => line.includes('is ready'))).toHaveLength(1);
  expect(lines.at(-1)).toMatch(/INFO: stopped/);
  expect(lines.length).toBeLessThan(15);
  expect(seen).toContain('\x1b[32mINFO'); // in colour
});
