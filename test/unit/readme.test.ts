// The README says what is.

import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { errorTable } from '../../src/errors.ts';

const root = join(import.meta.dir, '../..');
const readme = await Bun.file(join(root, 'README.md')).text();

test('every event type and every field of it is named', () => {
  for (const type of catalogue.types) {
    const row = readme.split('\n').find(line => line.startsWith(`| \`${type.name}\``));
    expect(row).toBeDefined();
    for (const name of [...Object.keys(type.fields), ...type.aliases]) expect(row).toContain(`\`${name}\``);
  }
});

test('every file it names is there', async () => {
  const names = [...readme.matchAll(/`((?:ingest|etl|adapters|operate|schemas|test|bench)\/[\w/.-]+\.ts)/g)].map(
    found => found[1]!,
  );
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) {
    const path = /^(schemas|test|bench)\//.test(name) ? name : `src/${name}`;
    expect({ name, exists: await Bun.file(join(root, path)).exists() }).toEqual({ name, exists: true });
  }
});

test('every type of problem a client can meet is listed', () => {
  const clients = [
    'not_json',
    'bad_request',
    'not_found',
    'method_not_allowed',
    'body_timeout',
    'too_large',
    'unsupported_media_type',
    'invalid',
    'buffer_full',
    'buffer_failed',
    'shutting_down',
  ];
  for (const code of clients) {
    expect(code in errorTable).toBe(true);
    expect(readme).toContain(`\`${code.replaceAll('_', '-')}\``);
  }
});
