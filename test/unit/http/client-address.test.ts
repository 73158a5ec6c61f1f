import { expect, test } from 'bun:test';
import { clientAddress } from '../../../src/http/client-address.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['2001:DB8::1', '2001:db8::1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
  ['', ''],
])('the address %s is written %s', (given, written) => {
  expect(clientAddress(given)).toBe(written);
});
