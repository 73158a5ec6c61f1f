// What the settings of the archive's targets say against each other, and which hops to them are said to be plain.

import { expect, test } from 'bun:test';
import { plainHopsOf } from '../../../src/config/plain-hops.ts';
import { readConfig } from '../../../src/config/read.ts';

const read = (...flags: readonly string[]) => readConfig({ flags: ['--auth=none', ...flags], env: {} });

function problemsOf(...flags: readonly string[]): string {
  const result = read(...flags);
  return result.ok ? '' : result.problems.join('\n');
}

function hopsOf(...flags: readonly string[]): string {
  const result = read(...flags);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return plainHopsOf(result.config).join('\n');
}

const keys = ['--archive-access-key=key', '--archive-secret-key=secret'];
const s3 = ['--archive-url=s3://bucket/prefix', ...keys];

test('a target is given what it needs, and nothing that is of another', () => {
  expect(problemsOf(...s3)).toBe('');
  expect(problemsOf('--archive-url=webhdfs://nn1:9870,nn2:9870/data/ugc', '--archive-user=ugc')).toBe('');
  expect(problemsOf('--archive-url=s3://bucket')).toContain('needs UGC_ARCHIVE_ACCESS_KEY and UGC_ARCHIVE_SECRET_KEY');
  expect(problemsOf('--archive-url=s3://bucket', keys[0]!)).toContain('need each other');
  expect(problemsOf('--archive-url=file:///x', ...keys)).toContain('need UGC_ARCHIVE_URL to be s3://…');
  expect(problemsOf('--archive-url=file:///x', '--archive-session-token=t')).toContain(
    'UGC_ARCHIVE_SESSION_TOKEN needs',
  );
  expect(problemsOf('--archive-url=file:///x', '--archive-addressing=path')).toContain('UGC_ARCHIVE_ADDRESSING needs');
  expect(problemsOf('--archive-url=file:///x', '--archive-single-writer')).toContain('UGC_ARCHIVE_SINGLE_WRITER needs');
  expect(problemsOf(...s3, '--archive-user=ugc')).toContain('UGC_ARCHIVE_USER needs');
  expect(problemsOf('--archive-url=s3://UPPER/x', ...keys)).toContain('must be file:///folder');
});

test('a hop to a target in plain is said, with what to set', () => {
  expect(hopsOf(...s3)).toBe('');
  expect(hopsOf(...s3, '--archive-endpoint=https://minio:9000')).toBe('');
  expect(hopsOf(...s3, '--archive-endpoint=http://127.0.0.1:9000')).toBe('');
  expect(hopsOf(...s3, '--archive-endpoint=http://minio:9000')).toContain(
    '(minio:9000): set UGC_ARCHIVE_ENDPOINT=https',
  );
  expect(hopsOf('--archive-url=webhdfss://nn1:9871/x')).toBe('');
  expect(hopsOf('--archive-url=webhdfs://localhost:9870/x')).toBe('');
  expect(hopsOf('--archive-url=webhdfs://localhost:9870,nn2:9870/x')).toContain(
    '(nn2:9870): set UGC_ARCHIVE_URL=webhdfss',
  );
});
