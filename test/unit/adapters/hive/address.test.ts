// Where Hive is and where it reads, from the settings' texts.

import { expect, test } from 'bun:test';
import { hiveAddress, hiveLocation } from '../../../../src/adapters/hive/tables.ts';

test.each([
  ['hive2://h', { host: 'h', port: 10_000, user: 'ugc', password: 'anonymous', database: 'ugc', isNoSasl: false }],
  [
    'hive2://me%40x:p%2Fw@[::1]:10001/cold?auth=noSasl',
    { host: '::1', port: 10_001, user: 'me@x', password: 'p/w', database: 'cold', isNoSasl: true },
  ],
])('%s', (url, address) => {
  expect(hiveAddress(url)).toEqual(address);
});

test.each([
  ['file:///var/archive/', 'file:///var/archive'],
  ['webhdfs://nn1,nn2:9870/cold/archive', '/cold/archive'],
  ['webhdfss://nn:9871/a', '/a'],
  ['s3://bucket/prefix', 's3a://bucket/prefix'],
])('what is kept in %s Hive reads at %s', (url, location) => {
  expect(hiveLocation(url)).toBe(location);
});
