import { afterEach, expect, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LiveFile, liveFile, replaceFile, stampOfFile } from '../../../src/process/file.ts';
import { quietLogs } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'ugc-file-'));
const open: LiveFile<unknown>[] = [];
afterEach(() => {
  for (const file of open.splice(0)) file.close();
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
});
const path = join(folder, 'x.json');

test('a file is replaced as a whole, for its owner alone, and nothing is left beside it', () => {
  writeFileSync(path, 'a longer text that was there before', { mode: 0o600 });
  const before = stampOfFile(path);
  replaceFile(path, 'short');
  expect(readFileSync(path, 'utf8')).toBe('short');
  expect(readdirSync(folder)).toEqual(['x.json']);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(stampOfFile(path)).not.toBe(before);
});

test('a folder that is not there is said', () => {
  expect(() => replaceFile(join(folder, 'none', 'x'), '')).toThrow('ENOENT');
  expect(stampOfFile(join(folder, 'none', 'x'))).toBe('none');
});

const readNumber = (from: string): number => {
  const value = Number(readFileSync(from, 'utf8'));
  if (Number.isNaN(value)) throw new Error('no number');
  return value;
};

function watched(onChange: (value: number) => void = () => {}): LiveFile<number> {
  const file = liveFile({ path, read: readNumber, what: 'numbers', logger: quietLogs().logger, onChange });
  open.push(file);
  return file;
}

test('a live file is read again when it changes; what is wrong changes nothing and is said', async () => {
  writeFileSync(path, '1');
  const changes: number[] = [];
  const file = watched(value => changes.push(value));
  expect(file.value).toBe(1);
  writeFileSync(path, '22');
  await until(() => file.value === 22, 'the change');
  writeFileSync(path, 'nonsense');
  await until(() => file.problem() !== null, 'the problem');
  expect([file.value, file.problem()]).toEqual([22, 'no number']);
  rmSync(path);
  file.look();
  expect([file.value, file.problem()]).toEqual([22, expect.stringContaining('ENOENT')]);
  writeFileSync(path, '333');
  file.look();
  expect([file.value, file.problem(), changes]).toEqual([333, null, [22, 333]]);
});

test('one that is mounted is a link to a link, and another file at its end is a change', () => {
  for (const version of ['1', '2']) {
    mkdirSync(join(folder, `..data_${version}`));
    writeFileSync(join(folder, `..data_${version}`, 'x.json'), version);
  }
  symlinkSync('..data_1', join(folder, '..data'));
  symlinkSync('..data/x.json', path);
  const file = watched();
  rmSync(join(folder, '..data'));
  symlinkSync('..data_2', join(folder, '..data'));
  file.look();
  expect(file.value).toBe(2);
});

test('one that is wrong from the start is an error', () => {
  writeFileSync(path, 'nonsense');
  expect(() => watched()).toThrow('no number');
});
