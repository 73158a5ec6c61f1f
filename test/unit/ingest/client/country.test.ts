// Countries of addresses, from files made here (test/support/mmdb.ts), and from files that are none.

import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readCountries } from '../../../../src/ingest/client/country.ts';
import { mmdb } from '../../../support/mmdb.ts';
import { temporaryFolder } from '../../../support/ugc.ts';

function fileOf(bytes: Uint8Array | string): string {
  const path = join(temporaryFolder(), 'countries.mmdb');
  writeFileSync(path, bytes);
  return path;
}

const file = mmdb(
  {
    '192.0.2.0/24': { country: { iso_code: 'DE', geoname_id: 1 }, registered_country: { iso_code: 'AT' } },
    '2001:db8::/32': { registered_country: { iso_code: 'US' } },
    '198.51.100.7/32': { country_code: 'IT' },
    '198.51.100.8/32': { country: 'GB' },
    '203.0.113.0/25': { country: { iso_code: 'no code' } },
    '203.0.113.128/25': 'nothing known',
  },
  { type: 'Test-City', builtAt: 1_790_000_000 },
);

test.each([
  ['192.0.2.0', 'DE'],
  ['192.0.2.255', 'DE'],
  ['192.0.3.0', ''],
  ['2001:db8::1', 'US'],
  ['2001:db9::1', ''],
  ['::192.0.2.1', 'DE'],
  ['198.51.100.7', 'IT'],
  ['198.51.100.8', 'GB'],
  ['198.51.100.9', ''],
  ['203.0.113.1', ''],
  ['203.0.113.129', ''],
  ['::1', ''],
  ['fe80::1%eth0', ''],
  ['', ''],
  ['unknown', ''],
])('%s is in %s', (address, country) => {
  const countries = readCountries(fileOf(file));
  expect([countries.of(address), countries.of(address)]).toEqual([country, country]);
});

test('a file says what it is and of when', () => {
  const { title, builtAt } = readCountries(fileOf(file));
  expect([title, builtAt.getTime()]).toEqual(['Test-City', 1_790_000_000_000]);
});

test.each([
  ['an empty file', ''],
  ['text', 'countries'],
  ['half of one', file.subarray(0, file.length / 2)],
  ['one that ends within its metadata', file.subarray(0, file.length - 20)],
  ['its end alone', file.subarray(file.length - 60)],
])('%s is refused in words', (_, bytes) => {
  expect(() => readCountries(fileOf(bytes))).toThrow(/is no MaxMind file \(\.mmdb\), or not all of one/);
});

test('a file that is not there is refused', () => {
  expect(() => readCountries(join(temporaryFolder(), 'none.mmdb'))).toThrow(/ENOENT/);
});

test('where the data of a network is damaged its country is not known', () => {
  const damaged = Buffer.from(file);
  damaged.fill(0xff, damaged.indexOf('US') - 1, damaged.indexOf('US') + 2);
  const countries = readCountries(fileOf(damaged));
  expect([countries.of('2001:db8::1'), countries.of('192.0.2.1')]).toEqual(['', 'DE']);
});
