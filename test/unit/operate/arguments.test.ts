import { describe, expect, test } from 'bun:test';
import { flag, integer, text } from '../../../src/config/kinds.ts';
import { flagsHelp, readFlags, splitArguments, topicFlag } from '../../../src/operate/arguments.ts';

const flags = {
  json: flag({ default: false, help: 'As JSON' }),
  limit: integer({ default: 20, min: 0, max: 100, help: 'At most so many' }),
  topic: text({ default: '', takes: 'text', help: 'Only this topic' }),
};

describe('what was typed after a command', () => {
  test('is its own flags, settings and the rest, in any order', () => {
    expect(splitArguments(['a', '--json', '--data-dir=x', 'b', '--limit=3'], flags)).toEqual({
      own: ['--json', '--limit=3'],
      settings: ['--data-dir=x'],
      args: ['a', 'b'],
    });
  });

  test('a flag of the command goes before a setting of the same name', () => {
    expect(splitArguments(['--topic=ugc.click'], flags)).toMatchObject({ own: ['--topic=ugc.click'], settings: [] });
  });

  test('a topic is one: the pattern of the setting of that name is refused, with where it goes', () => {
    expect(readFlags({ topic: topicFlag }, ['--topic=ugc.click'])).toMatchObject({ values: { topic: 'ugc.click' } });
    expect(readFlags({ topic: topicFlag }, ['--topic=x.{event_type}'])).toMatchObject({
      problems: [expect.stringContaining('give the setting of that name as UGC_TOPIC')],
    });
  });

  test('may be SQL that begins with a comment', () => {
    for (const sql of ['-- all of them\nSELECT 1', '--all\nSELECT 1', '--\nSELECT 1', '--1', '-', '-x'])
      expect(splitArguments([sql], flags)).toEqual({ own: [], settings: [], args: [sql] });
  });

  test('is no flag behind --', () => {
    expect(splitArguments(['--json', '--', '--json', '--x=1'], flags)).toEqual({
      own: ['--json'],
      settings: [],
      args: ['--json', '--x=1'],
    });
  });

  test('with a mistyped flag is nobody’s, and goes where the nearest name is told', () => {
    expect(splitArguments(['--jsno', '--Limit=1'], flags).settings).toEqual(['--jsno', '--Limit=1']);
  });
});

describe('flags of a command', () => {
  test('have their defaults, whatever the environment says', () => {
    expect(readFlags(flags, ['--limit=0'])).toMatchObject({ ok: true, values: { json: false, limit: 0, topic: '' } });
  });

  test('are refused like settings, all at once', () => {
    const result = readFlags(flags, ['--limit=many', '--json=perhaps', '--topic']);
    expect(result.ok ? [] : result.problems).toHaveLength(3);
  });

  test('are listed with what they do', () => {
    expect(flagsHelp(flags)).toContain('--limit=…      At most so many');
    expect(flagsHelp(flags)).toContain('--json         As JSON');
  });
});
