// Where reading again begins: what is taken, what is refused in words, and that it is given only where it means something.

import { describe, expect, test } from 'bun:test';
import { nameOf, startingPoint } from '../../../src/config/from.ts';
import { readConfig } from '../../../src/config/read.ts';

const { parse } = startingPoint({ help: '' });

describe('a starting point', () => {
  test('is a time with a zone', () => {
    for (const [text, iso] of [
      ['2026-11-01T00:00Z', '2026-11-01T00:00:00.000Z'],
      ['2026-11-01T03:00:00+03:00', '2026-11-01T00:00:00.000Z'],
      ['2026-11-01T00:00:00.25Z', '2026-11-01T00:00:00.250Z'],
    ] as const) {
      expect(parse(text)).toEqual({ atMs: Date.parse(iso) });
      expect(nameOf(parse(text)!)).toBe(iso);
    }
  });

  test('or offsets of partitions; in whatever order they are named it is the same', () => {
    const offsets = new Map([
      ['ugc.click/0', 12],
      ['ugc.page_view/11', 0],
    ]);
    expect(parse('ugc.click/0=12, ugc.page_view/11=0')).toEqual({ offsets });
    const names = ['a/0=1,a/1=2', 'a/1=2,a/0=1', 'a/0=1,a/1=3'].map(text => nameOf(parse(text)!));
    expect(names[0]).toBe(names[1]!);
    expect(names[0]).not.toBe(names[2]!);
  });

  test('is nothing when not set, and refused in words when it is neither', () => {
    expect(parse('')).toBeNull();
    for (const wrong of [
      'yesterday',
      '2026-11-01',
      '2026-11-01T00:00',
      '2026-13-01T00:00Z',
      'ugc.click/0',
      'a/0=-1',
      'a/0=1,',
    ])
      expect(() => parse(wrong)).toThrow('must be a time with a zone');
    expect(() => parse('a/0=1,a/0=2')).toThrow('twice');
  });
});

test('reading again is for the etl role over Kafka alone', () => {
  const problemsOf = (...flags: string[]): string => {
    const result = readConfig({ flags: ['--from=2026-11-01T00:00Z', ...flags], env: {} });
    return result.ok ? '' : result.problems.join('\n');
  };
  expect(problemsOf('--role=etl')).toContain('needs a broker');
  expect(problemsOf('--kafka-brokers=a:1')).toContain('--role=etl');
  expect(problemsOf('--kafka-brokers=a:1', '--role=etl,ingest')).toContain('--role=etl');
  expect(problemsOf('--kafka-brokers=a:1', '--role=etl')).toBe('');
});
