// The documents say what is: every path, link, anchor, setting, metric, problem and event type they name is there.

import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { aggregates } from '../../schemas/aggregates.ts';
import { catalogue } from '../../schemas/catalogue.ts';
import { configTable } from '../../src/config/read.ts';
import { type ErrorCode, errorTable } from '../../src/errors.ts';
import { typeOf } from '../../src/http/answer.ts';
import { isAnswered } from '../../src/http/openapi-problems.ts';
import { sharedMetrics } from '../support/quiet.ts';

const root = join(import.meta.dir, '../..');
const paths = [
  'README.md',
  'test/README.md',
  'bench/README.md',
  ...new Bun.Glob('docs/**/*.md').scanSync(root),
].toSorted();
const pages = paths.map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const page = (path: string): string => pages.find(found => found.path === path)!.text;

/** Without blocks of code. */
const prose = (text: string): string => text.replace(/^ *```[\s\S]*?^ *```/gm, '');

/** As GitHub makes them. */
const anchorsOf = (text: string): Set<string> =>
  new Set(
    [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

test('the README is a short door: 12 KB at most, and it leads to every page', () => {
  const readme = page('README.md');
  expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(12 * 1024);
  for (const { path } of pages.filter(found => found.path.startsWith('docs/'))) expect(readme).toContain(`(${path})`);
});

describe.each(pages)('$path', ({ path, text }) => {
  test('links to what is there', () => {
    const lost = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => {
      if (/^https?:/.test(target!)) return [];
      const [file = '', anchor] = target!.split('#');
      const to = file === '' ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, to))) return [target];
      return anchor === undefined || anchorsOf(readFileSync(join(root, to), 'utf8')).has(anchor) ? [] : [target];
    });
    expect(lost).toEqual([]);
  });

  test('names files that are there', () => {
    const names = [
      ...text.matchAll(
        /`((?:src|ingest|log|mover|http|record|roles|catalogue|process|adapters|operate|schemas|test|bench)\/[\w/.-]+\.ts)/g,
      ),
    ];
    const lost = names
      .map(([, name]) => name!)
      .filter(name => !existsSync(join(root, name)) && !existsSync(join(root, 'src', name)));
    expect(lost).toEqual([]);
  });

  test('names settings and metrics that there are', () => {
    const known = new Set(configTable().map(({ env }) => env));
    const settings = [...text.matchAll(/\bUGC_[A-Z0-9_]+\b/g)].map(([name]) => name.replace(/_FILE$/, ''));
    expect(settings.filter(name => !known.has(name) && !/^UGC_(TEST_|BENCH_|ENV$|$)|_$/.test(name))).toEqual([]);
    const metrics = sharedMetrics.registry.getMetricsAsArray().map(({ name }) => name);
    const named = [...text.matchAll(/\bugc_[a-z_]+[a-z]\b/g)].map(([name]) => name);
    expect(named.filter(name => !metrics.includes(name) && !/^ugc_(pk|sk)/.test(name))).toEqual([]);
  });
});

test('every event type and every field of it is named', () => {
  const lines = page('docs/reference/event-types.md').split('\n');
  for (const type of catalogue.types) {
    const row = lines.find(line => line.startsWith(`| \`${type.name}\``));
    expect(row).toBeDefined();
    for (const name of [...Object.keys(type.fields), ...type.aliases]) expect(row).toContain(`\`${name}\``);
  }
});

test('every problem a client can meet has its line', () => {
  for (const code of (Object.keys(errorTable) as ErrorCode[]).filter(isAnswered))
    expect(page('docs/reference/problems.md')).toContain(`\`${typeOf(code)}\``);
});

test('every aggregate has its line, and every column that is no key is named in it', () => {
  const lines = page('docs/use/read.md').split('\n');
  for (const { name, key, columns } of aggregates) {
    const line = lines.find(one => one.startsWith(`| \`${name}\``));
    expect(line, name).toBeDefined();
    const counted = columns.filter(column => !key.includes(column.name));
    for (const column of counted) expect(line).toContain(`\`${column.name}\``);
  }
});
