// `ugc dead` on the binary: beside a running instance, whose port is read-only for everybody else, and on a stopped one.

import { afterAll, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readInstance } from '../../src/process/instance.ts';
import { exampleClick } from '../support/events.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

const id = '0190a000-0000-7000-8000-000000000001';
const fits = JSON.stringify({ ...exampleClick, event_id: id });
const never = '{"event_type":"click"';

/** As the mover stores them; what has been repaired since is that the first fits. */
const letters = (topic: string): string =>
  [fits, never]
    .map((raw, at) => `('${topic}', 0, ${at + 40}, 0, 'invalid', 'it did not fit', '${raw}', now64(), now64())`)
    .join(',');
const insert = (topic: string): string =>
  `INSERT INTO ugc.dead_letters_rows (topic, partition, position, index, reason, detail, raw, recorded_at, failed_at) VALUES ${letters(topic)}`;

test('replay lands what fits in a running instance, then in the stopped folder, once each', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const dead = async (...args: string[]) => {
    const { code, stdout, stderr } = await runUgc(['dead', ...args, `--data-dir=${dataDir}`]);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };
  const note = await eventually(() => readInstance(dataDir), { what: 'the instance’s note' });
  expect(statSync(join(dataDir, 'instance.json')).mode & 0o777).toBe(0o600);
  const write = (key: string | null) =>
    fetch(ugc.clickhouseUrl, {
      method: 'POST',
      body: insert('first'),
      headers: key === null ? {} : { authorization: `Basic ${btoa(`ugc:${key}`)}` },
    });
  for (const key of [null, '', 'wrong', `${note.clickhouseKey}x`]) expect((await write(key)).ok).toBe(false);
  expect((await write(note.clickhouseKey)).ok).toBe(true);

  expect(await dead('ls')).toMatch(/invalid +first\/0\/40\n.*it did not fit\n[\s\S]*2 dead letters: 2 invalid\n/);
  const listed = (await dead('ls', '--json', '--limit=1')).trim().split('\n');
  expect(listed.map(line => JSON.parse(line))).toMatchObject([
    { place: 'first/0/40', reason: 'invalid', replayed_at: null, raw_base64: btoa(fits) },
  ]);
  expect(await dead('show', 'first/0/40')).toContain(fits);
  expect(await dead('replay', '--dry-run')).toContain('1 would be rows now; nothing was changed');
  expect(await ugc.query('SELECT * FROM ugc.click')).toEqual([]);
  expect(JSON.parse(await dead('replay', '--json'))).toEqual({
    dry_run: false,
    looked: 2,
    rows: { click: 1 },
    stays: { not_json: 1 },
  });
  expect(await ugc.query('SELECT toString(event_id) AS id FROM ugc.click')).toEqual([{ id }]);
  expect(await dead('ls')).toContain('1 dead letter: 1 invalid');
  expect(await dead('ls', '--all')).toContain('first/0/40 (a row since ');
  expect((await write(note.clickhouseKey)).ok).toBe(true); // as if the log were read again

  ugc.kill('SIGKILL');
  await ugc.exited;
  expect(await dead('replay', '--topic=first')).toContain('1 are rows now');
  const rows = await runUgc([
    'query',
    'SELECT count(), uniqExact(event_id) FROM click',
    '--json',
    `--data-dir=${dataDir}`,
  ]);
  expect(rows.stdout).toBe('{"count()":1,"uniqExact(event_id)":1}\n');
});

test('dismiss hides what nobody will repair, in a running instance and in the stopped folder, and keeps it', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const dead = async (args: readonly string[], wanted = 0) => {
    const { code, stdout, stderr } = await runUgc(['dead', ...args, `--data-dir=${dataDir}`]);
    expect({ args, code, stderr }).toEqual({ args, code: wanted, stderr: '' });
    return stdout;
  };
  const { clickhouseKey } = await eventually(() => readInstance(dataDir), { what: 'the instance’s note' });
  const headers = { authorization: `Basic ${btoa(`ugc:${clickhouseKey}`)}` };
  for (const topic of ['first', 'second'])
    expect((await fetch(ugc.clickhouseUrl, { method: 'POST', body: insert(topic), headers })).ok).toBe(true);

  expect(await dead(['dismiss', 'first/0/41', '--dry-run'])).toBe(
    '1 dead letter would be dismissed: 1 invalid; nothing was changed\n',
  );
  expect(await dead(['ls'])).toContain('4 dead letters');
  expect(await dead(['dismiss', 'first/0/41', '--why=cut off, the sender is gone'])).toBe(
    '1 dead letter dismissed: 1 invalid\n',
  );
  expect(await dead(['dismiss', 'first/0/41', 'first/0/7'], 1)).toMatch(
    /^first\/0\/41 is dismissed .*: cut off, the sender is gone\nfirst\/0\/7 is no dead letter\n0 dead letters dismissed\n$/,
  );
  expect(await dead(['ls'])).toContain('3 dead letters');
  expect(await dead(['ls', '--all'])).toMatch(/first\/0\/41 \(dismissed .*: cut off, the sender is gone\)/);
  expect(await dead(['show', 'first/0/41'])).toContain(never);

  await ugc.stop();
  const before = new Date(Date.now() + 1_000).toISOString();
  expect(JSON.parse(await dead(['dismiss', '--topic=second', `--before=${before}`, '--json']))).toEqual({
    ...{ dry_run: false, dismissed: 2, reasons: { invalid: 2 }, rest: [] },
  });
  expect(await dead(['dismiss', '--topic=second'])).toBe('0 dead letters dismissed\n');
  expect((await dead(['ls', '--json'])).trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(await dead(['dismiss', '--undo', 'second/0/40', '--json']))).toMatchObject({ reopened: 1 });
  expect(await dead(['replay', 'second/0/40', 'first/0/40'])).toContain('2 are rows now');
});

test('wrong use is said in words, with exit code 2', async () => {
  const dataDir = temporaryFolder();
  const said = async (...args: string[]) => {
    const { code, stderr } = await runUgc(['dead', ...args, `--data-dir=${dataDir}`]);
    expect(code).toBe(2);
    return stderr;
  };
  expect(await said()).toContain('dead takes one of ls, show, replay, dismiss');
  expect(await said('repaly')).toContain('not repaly; did you mean replay?');
  expect(await said('show')).toContain('takes the place of a letter');
  expect(await said('show', 'nowhere')).toContain('topic/partition/position');
  expect(await said('ls', '--reason=invalud')).toContain('did you mean invalid?');
  expect(await said('dismiss')).toContain('which letters?');
  expect(await said('dismiss', '--before=yesterday')).toContain('--before');
  expect(await said('ls', '--limit=0')).toContain('--limit');
  expect(await said('ls', '--lmit=3')).toContain('--lmit');
  expect(await said('ls')).toContain('there are no tables in');
  expect((await runUgc(['help', 'dead'])).stdout).toContain('ugc dead replay');
});
