import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditLine, commandText } from '../../../src/operate/audit.ts';
import { appendLine } from '../../../src/process/file.ts';
import { temporaryFolder } from '../../support/ugc.ts';

const asked = {
  name: 'keys add',
  change: { category: 'iam', type: 'creation' },
  sudoUser: undefined,
  outcome: 'success',
  how: 'done',
  durationMs: 1.5,
} as const;

describe('what was typed', () => {
  test('stands there as a shell would take it', () => {
    expect(commandText(['rules', 'add', 'drop', "--why=it's one; rm -rf /", '--event-type=click'])).toBe(
      `ugc rules add drop '--why=it'\\''s one; rm -rf /' --event-type=click`,
    );
  });

  test('has no secret: neither a flag that is one, nor a password in an address', () => {
    const typed = [
      '--clickhouse-password=swordfish=1',
      '--admin-key=swordfish',
      '--database-url=postgres://ugc:swordfish@db/ugc',
      '--archive-url=https://who:swordfish@store.example/x',
      'https://who:swordfish@a.example/',
    ];
    expect(commandText(typed)).not.toContain('swordfish');
    expect(commandText(typed)).toContain('--clickhouse-password=***');
    expect(commandText(['https://who:swordfish@a.example/b'])).toBe('ugc https://who:***@a.example/b');
  });

  test('names no person, and two spellings of the same list alike', () => {
    const text = commandText(['forget', '--user-id=anna', '--anonymous-id=a1, b2']);
    expect(text).toMatch(
      /^ugc forget --user-id=sha256:[0-9a-f]{64} --anonymous-id=sha256:[0-9a-f]{64},sha256:[0-9a-f]{64}$/,
    );
    expect(commandText(['forget', '--anonymous-id=a1,b2'])).toBe(commandText(['forget', '--anonymous-id=a1, b2']));
  });

  test('is cut where it is endless, and stays text', () => {
    const text = commandText(['import', ...Array.from({ length: 2_000 }, (_, at) => `file-${at}-\ud83d\ude00`)]);
    expect(text.length).toBe(4_097);
    expect(text.isWellFormed()).toBe(true);
  });
});

describe('a line', () => {
  test('is one line, whatever was typed', () => {
    const line = auditLine({ ...asked, typed: ['a\nb\u2028', '\ud800'] });
    expect(line).not.toContain('\n');
    expect(JSON.parse(line)).toMatchObject({
      'event.action': 'keys-add',
      'event.kind': 'event',
      'event.category': ['iam'],
      'event.outcome': 'success',
      'event.duration': 1_500_000,
      'process.command_line': "ugc keys add 'a\nb\u2028' '\ufffd'",
    });
  });

  test('tells who became whom by sudo', () => {
    const line = JSON.parse(auditLine({ ...asked, typed: [], sudoUser: 'anna' }));
    expect(line['related.user']).toEqual([line['user.name'], 'anna']);
    expect(line.message).toContain('(sudo of anna): ugc keys add: done');
  });
});

describe('the file', () => {
  test('is for its owner alone, and grows by lines', () => {
    const path = join(temporaryFolder(), 'new/audit.log');
    appendLine(path, 'one', 100);
    appendLine(path, 'two', 100);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('is put aside when it is full, and nothing of it is lost', () => {
    const folder = temporaryFolder();
    const path = join(folder, 'audit.log');
    writeFileSync(path, `${'x'.repeat(100)}\n`);
    appendLine(path, 'next', 100);
    expect(readFileSync(path, 'utf8')).toBe('next\n');
    const aside = readdirSync(folder).filter(name => name !== 'audit.log');
    expect(aside).toEqual([expect.stringMatching(/^audit\.log\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/)]);
    expect(readFileSync(join(folder, aside[0]!), 'utf8')).toBe(`${'x'.repeat(100)}\n`);
  });

  test('may be a device, which is not put aside', () => {
    appendLine('/dev/null', 'one', 0);
    expect(statSync('/dev/null').isFile()).toBe(false);
    expect(() => appendLine('/dev/full', 'one', 0)).toThrow('ENOSPC');
  });
});
