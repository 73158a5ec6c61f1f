// The audit log of the compiled binary: every command that changes something leaves one line, and no other does.

import { beforeAll, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changes } from '../../src/operate/changes.ts';
import { exampleClick } from '../support/events.ts';
import { binary, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

const dataDir = temporaryFolder();
const archive = `--archive-url=file://${temporaryFolder()}`;
const log = join(dataDir, 'audit.log');
const event = { ...exampleClick, timestamp: new Date().toISOString(), user_id: 'anna' };
const exported = join(temporaryFolder(), 'segment.ndjson');

const lines = (path = log): Record<string, unknown>[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
    : [];
const run = (...args: string[]) => runUgc([...args, `--data-dir=${dataDir}`]);

beforeAll(async () => {
  writeFileSync(exported, '');
  writeFileSync(join(dataDir, 'content.sqlite'), ''); // an empty store
  const ugc = await startUgc({ dataDir, flags: [archive, '--archive-file-seconds=1'] });
  expect((await ugc.post({ event })).status).toBe(200);
  await eventually(async () => (await ugc.query('SELECT 1 FROM ugc.click')).length === 1, { what: 'a row' });
  const hasLeftTheLog = async () => /^ugc_buffer_events 0$/m.test(await (await fetch(`${ugc.url}/metrics`)).text());
  await eventually(hasLeftTheLog, { what: 'it is archived, too' });
  await ugc.stop();
});

/** What is typed, by the command; in this order. */
const driven: Readonly<Record<string, { readonly args: readonly string[]; readonly outcome?: 'failure' }>> = {
  'keys add': { args: ['shop', '--kind=secret'] },
  'keys rotate': { args: ['shop', '--json'] },
  'keys revoke': { args: ['nobody'], outcome: 'failure' },
  'rules add': { args: ['drop', '--event-type=click', '--why=test'] },
  'rules rm': { args: ['12345678'], outcome: 'failure' },
  'buffer requeue': { args: [] },
  'buffer forget': { args: ['archive', '--yes'] },
  'dead replay': { args: [] },
  'dead dismiss': { args: ['--before=2026-01-01T00:00:00Z'] },
  'archive restore': { args: [archive] },
  'archive compact': { args: [archive] },
  import: { args: ['--preset=segment', exported] },
  'export-person': { args: ['--user-id=anna'] },
  'content rebuild': { args: [] },
  forget: { args: ['--user-id=anna', '--yes'] },
  'flows pause': { args: ['tables', '--why=test'] },
  'flows drain': { args: ['tables', '--why=test'] },
  'flows resume': { args: ['tables'] },
};

test('every command that changes something is driven', () => {
  expect(Object.keys(driven).toSorted()).toEqual(Object.keys(changes).toSorted());
});

for (const [name, { args, outcome = 'success' }] of Object.entries(driven))
  test(`${name} leaves one line: who, what, how it ended`, async () => {
    const before = lines().length;
    const { code, stderr } = await run(...name.split(' '), ...args);
    expect({ code, stderr }).toEqual({ code: outcome === 'success' ? 0 : 1, stderr: expect.any(String) });
    expect(lines()).toHaveLength(before + 1);
    expect(lines().at(-1)).toMatchObject({
      'event.action': name.replace(' ', '-'),
      'event.outcome': outcome,
      'event.category': [changes[name]!.category],
      'user.name': expect.stringMatching(/./),
      'host.name': expect.stringMatching(/./),
      'process.command_line': expect.stringContaining(`ugc ${name}`),
      'process.exit_code': code,
      message: expect.stringContaining(`ugc ${name}`),
    });
  });

test('none names a person or a key', () => {
  const text = readFileSync(log, 'utf8');
  expect(text).not.toContain('anna');
  expect(text).not.toMatch(/ugc_[ps]k_/);
});

test('what only reads, rehearses or was used wrongly leaves none', async () => {
  const before = readFileSync(log, 'utf8');
  const rehearsed = Object.entries(changes).flatMap(([name, { unless = [] }]) =>
    unless.map(flag => [
      ...name.split(' '),
      ...driven[name]!.args,
      `--${flag.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`,
    ]),
  );
  const reading = [
    ['keys', 'ls'],
    ['rules', 'ls'],
    ['buffer', 'stat'],
    ['dead', 'ls'],
    ['archive', 'verify', archive],
    ['query', 'SELECT 1'],
    ['schema', 'ls'],
  ];
  const wrong = [['keys', 'add'], ['forget'], ['import', 'no-such-file', '--preset=segment'], ['dead', 'dismiss']];
  for (const args of [...rehearsed, ...reading, ...wrong]) {
    const { code } = await run(...args);
    if (wrong.includes(args)) expect({ args, code }).toEqual({ args, code: 2 });
  }
  expect(readFileSync(log, 'utf8')).toBe(before);
});

test('every command there is changes something, or is known to read', async () => {
  const { stdout } = await runUgc(['help']);
  const named = new Set([...stdout.matchAll(/^ {2}ugc ([a-z][a-z-]*)/gm)].map(([, name]) => name!));
  const all: string[] = [];
  for (const name of named) {
    // Flows take a word for granted.
    const { stderr } = await runUgc([name, name === 'flows' ? 'nonsense' : '--nonsense']);
    const [, words] = /takes one of ([a-z, -]+?)(?:, not nonsense)?;/.exec(stderr) ?? [];
    if (words === undefined || name === 'schema') all.push(name);
    else all.push(...words.split(', ').map(word => `${name} ${word.trim()}`));
  }
  /** `load` sends events as any client does. */
  const reading =
    'archive ls, archive verify, buffer export, buffer inspect, buffer stat, buffer verify, capacity, dead ls, dead show, doctor, flows ls, help, keys ls, load, query, reconcile, rules ls, schema, tap, top, trace, up';
  expect(all.filter(name => changes[name] === undefined).toSorted()).toEqual(reading.split(', '));
});

test('a log that takes no line is told on stderr with the line, and the command is done', async () => {
  const { code, stderr } = await run('rules', 'add', 'drop', '--event-type=click', '--audit-log=/dev/full');
  expect(code).toBe(0);
  expect(stderr).toContain('UGC_AUDIT_LOG /dev/full takes no line (ENOSPC');
  const line = JSON.parse(stderr.split('\n').find(text => text.startsWith('{'))!);
  expect(line['event.action']).toBe('rules-add');
});

test('one that is ended by a signal leaves a line that says so, and ends by it', async () => {
  const path = join(dataDir, 'ended.log');
  const child = Bun.spawn(
    [binary, 'import', '--preset=segment', '--format=ndjson', '-', `--data-dir=${dataDir}`, `--audit-log=${path}`],
    {
      stdin: 'pipe',
      stdout: 'ignore',
      stderr: 'ignore',
    },
  );
  // It waits for stdin; from when on it listens to signals the kernel knows.
  const listens = (): boolean => {
    const [, mask = '0'] = /^SigCgt:\s*(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
    return ((BigInt(`0x${mask}`) >> 14n) & 1n) === 1n;
  };
  await eventually(async () => listens(), { what: 'it listens to SIGTERM' });
  child.kill('SIGTERM');
  await child.exited;
  expect(child.signalCode).toBe('SIGTERM');
  expect(lines(path)).toEqual([
    expect.objectContaining({
      'event.outcome': 'unknown',
      'log.level': 'warn',
      message: expect.stringMatching(/: ended by SIGTERM$/),
    }),
  ]);
});
