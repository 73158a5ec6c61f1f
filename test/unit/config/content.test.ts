// The settings of content: what they take, what they say against each other, and who has the role by them.

import { expect, test } from 'bun:test';
import { bufferReadersOf } from '../../../src/config/buffer-readers.ts';
import { hasContent } from '../../../src/config/content.ts';
import { plainHopsOf } from '../../../src/config/plain-hops.ts';
import { readConfig } from '../../../src/config/read.ts';
import { shownSecretsOf } from '../../../src/config/shown-secrets.ts';

const tokens = ['--auth=jwt', '--jwt-secret=a secret of the tests, thirty-two bytes or more'];
const read = (...flags: string[]) => readConfig({ flags, env: {} });
function problemsOf(...flags: string[]): string {
  const result = read(...flags);
  return result.ok ? '' : result.problems.join('\n');
}
function configOf(...flags: string[]) {
  const result = read(...flags);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.config;
}

test('what counts as seen and as watched is what the field says, unless it is asked for otherwise', () => {
  expect(configOf()).toMatchObject({ viewSeenSeconds: 120, viewSeenShare: 0.05, viewWatchedShare: 0.9 });
  expect(configOf('--view-seen-share=.5', '--view-watched-share=1.0')).toMatchObject({
    viewSeenShare: 0.5,
    viewWatchedShare: 1,
  });
});

test.each([
  ['--view-seen-share=5%', 'must be a number from 0 to 1'],
  ['--view-seen-share=1.5', 'must be a number from 0 to 1'],
  ['--view-seen-share=0.9', 'UGC_VIEW_SEEN_SHARE must be smaller than UGC_VIEW_WATCHED_SHARE'],
  ['--database-url=mysql://db/ugc', 'UGC_DATABASE_URL'],
  ['--database-ca=/ca.pem', 'UGC_DATABASE_CA needs UGC_DATABASE_URL'],
  ['--review-length-max=10001', 'UGC_REVIEW_LENGTH_MAX'],
  ['--reviews-shown=never', 'must be at_once or approved'],
  ['--role=content', 'UGC_ROLE=content needs UGC_AUTH=jwt'],
  ['--role=ingest,content', 'UGC_ROLE=content needs UGC_AUTH=jwt'],
])('%s is refused', (flag, words) => {
  expect(problemsOf(flag)).toContain(words);
});

test('all means it where tokens say who likes', () => {
  expect(hasContent(configOf())).toBe(false);
  expect(hasContent(configOf('--auth=keys'))).toBe(false);
  expect(hasContent(configOf(...tokens))).toBe(true);
  expect(hasContent(configOf('--role=ingest', ...tokens))).toBe(false);
  expect(hasContent(configOf('--role=content', ...tokens))).toBe(true);
});

test('the history reads the disk buffer where it is kept, by the settings of each process', () => {
  expect(bufferReadersOf(configOf())).toEqual(['etl']);
  expect(bufferReadersOf(configOf(...tokens))).toEqual(['etl', 'history']);
  expect(bufferReadersOf(configOf(...tokens, '--content-history=off'))).toEqual(['etl']);
  expect(bufferReadersOf(configOf('--role=etl', '--content-history=on'))).toEqual(['etl', 'history']);
  expect(bufferReadersOf(configOf(...tokens, '--kafka-brokers=k:9092'))).toEqual(['drain']);
});

test('a password is a secret wherever it stands, and does not leave the machine in plain unsaid', () => {
  const said = shownSecretsOf(['--database-url=postgres://ugc:hush@db/ugc']);
  expect(said.join()).toContain('UGC_DATABASE_URL_FILE');
  expect(said.join()).not.toContain('hush');
  expect(shownSecretsOf(['--database-url=postgres://ugc@db/ugc'])).toEqual([]);
  const hopsOf = (url: string) => plainHopsOf(configOf(`--database-url=${url}`)).join();
  expect(hopsOf('postgres://ugc:hush@db.example/ugc')).toContain('PostgreSQL in plain (db.example)');
  expect(hopsOf('postgres://ugc:hush@db.example/ugc')).not.toContain('hush');
  expect(hopsOf('postgres://ugc:hush@db.example/ugc?sslmode=verify-full')).toBe('');
  expect(hopsOf('postgres://ugc:hush@127.0.0.1:5433/ugc')).toBe('');
});
