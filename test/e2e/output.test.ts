// What commands write and where: into files that hold something already, into pipes that end, onto full devices and onto
// terminals. By the shell, as people do it.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { drained } from '../support/oracle.ts';
import { binary, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

let ugc: Ugc;
let dataDir: string;

beforeAll(async () => {
  dataDir = temporaryFolder();
  ugc = await startUgc({ dataDir });
  expect((await ugc.post(exampleClick)).status).toBe(200);
  await drained(ugc);
});
afterAll(() => ugc.stop());

interface Shell {
  readonly env?: Record<string, string>;
}

/** `ugc` in it is the binary, on the data folder. */
function shell(script: string, { env = {} }: Shell = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    ['bash', '-o', 'pipefail', '-c', `ugc() { ${binary} "$@" --data-dir=${dataDir}; }; ${script}`],
    { env: { PATH: process.env.PATH ?? '', HOME: '/', TERM: 'xterm', ...env } },
  );
  return { code: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

describe('a file that holds something already', () => {
  test('keeps it when an empty result is appended, which is said beside it', () => {
    const file = join(temporaryFolder(), 'f');
    for (const flags of ['--json', '']) {
      writeFileSync(file, 'before\n');
      const { code, stderr } = shell(`ugc query "SELECT 1 WHERE 0" ${flags} >> ${file}`);
      expect({ code, stderr, text: readFileSync(file, 'utf8') }).toEqual({
        code: 0,
        stderr: '0 rows\n',
        text: 'before\n',
      });
    }
  });

  test.each([
    ['query "SELECT 7 AS n" --json', /^\{"n":7\}\n$/],
    ['query "SELECT 1 WHERE 0" --json', /^$/],
    ['schema ls', /click/],
    ['schema docs click', /element/],
    ['help', /Usage/],
    ['buffer stat', /buffer/],
    ['dead ls', /0 dead letters/],
    ['--version', /^ugc /],
  ])('has between its lines what %s writes', (command, written) => {
    const file = join(temporaryFolder(), 'f');
    const run = command.startsWith('--') || command === 'help' ? `${binary} ${command}` : `ugc ${command}`;
    const { code } = shell(`{ echo before; ${run}; echo after; } > ${file}`);
    const text = readFileSync(file, 'utf8');
    expect(code).toBe(0);
    expect(text).toStartWith('before\n');
    expect(text).toEndWith('after\n');
    expect(text).not.toContain('\0');
    expect(text.slice('before\n'.length, -'after\n'.length)).toMatch(written);
  });
});

test.each([
  'ugc query "SELECT number FROM numbers(1000000)" --json',
  'ugc query "SELECT number FROM numbers(300000)"',
  'ugc query "SELECT number FROM numbers(1000000) FORMAT CSV"',
])('a pipe that ends ends it without a word, with the exit code by which shells know it: %s', command => {
  const { code, stderr } = shell(`${command} | head -c 1 > /dev/null`);
  expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
});

test.each(['ugc query "SELECT 1"', 'ugc schema ls', 'ugc buffer stat --json', `${binary} help`])(
  'a device that takes no more is told of in words: %s',
  command => {
    const { code, stderr } = shell(`${command} > /dev/full`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'ugc: stdout cannot be written: no space left on the device\n',
    });
  },
);

describe('a table', () => {
  const wide = `ugc query "SELECT repeat('a', 90) AS left, repeat('b', 90) AS right"`;
  const onTerminal = (script: string, columns: number, env: Record<string, string> = {}) =>
    shell(`script -qec ${JSON.stringify(`stty cols ${columns}; ${script}`)} /dev/null`, { env }).stdout.replaceAll(
      '\r\n',
      '\n',
    );
  const here = (command: string): string => `${command.replace(/^ugc/, binary)} --data-dir=${dataDir}`;

  test('has no colours in a pipe, whatever the server is, and is as wide as it is', () => {
    const { stdout } = shell(wide);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).toContain(`│ ${'a'.repeat(90)} │ ${'b'.repeat(90)} │`);
  });

  test('that is wider than the terminal is shown row by row, one column a line', () => {
    const shown = onTerminal(here(wide), 100);
    expect(shown).toContain('row 1\n');
    expect(shown).not.toContain('│');
    expect(onTerminal(here(wide), 250)).toContain('│');
  });

  test('has colours on a terminal, unless NO_COLOR or a dumb terminal says no', () => {
    const one = here('ugc query "SELECT 1 AS one"');
    expect(onTerminal(one, 80)).toContain('\u001b[1m');
    expect(onTerminal(one, 80, { NO_COLOR: '1' })).not.toContain('\u001b[1m');
    expect(onTerminal(one, 80, { TERM: 'dumb' })).not.toContain('\u001b[1m');
  });
});
