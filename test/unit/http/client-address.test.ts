import { describe, expect, test } from 'bun:test';
import { clientAddress, clientBehind, keptOf } from '../../../src/http/client-address.ts';
import { parseNetworks } from '../../../src/process/address.ts';

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

describe('behind proxies', () => {
  const { has } = parseNetworks(['10.0.0.0/8', '192.0.2.7', 'fd00::/8']);
  test.each([
    ['nobody is believed who is no proxy of ours', '203.0.113.1', '198.51.100.1', '203.0.113.1'],
    ['a proxy says who its client is', '10.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['what the client wrote itself stands further left', '10.0.0.1', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['proxies behind proxies', '10.0.0.1', '1.1.1.1, 198.51.100.1, fd00::2,10.3.3.3', '198.51.100.1'],
    ['only proxies: the first of them', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['one address of a network', '192.0.2.7', '198.51.100.1', '198.51.100.1'],
    ['its neighbour is not ours', '192.0.2.8', '198.51.100.1', '192.0.2.8'],
    ['IPv6', 'fd00::1', '2001:DB8::5', '2001:db8::5'],
    ['IPv4 in IPv6', '10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
    ['a port', '10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['IPv6 with a port', '10.0.0.1', '[2001:db8::5]:4711', '2001:db8::5'],
    ['IPv6 in brackets', '10.0.0.1', '[2001:db8::5]', '2001:db8::5'],
    ['no header', '10.0.0.1', null, '10.0.0.1'],
    ['an empty one', '10.0.0.1', '', '10.0.0.1'],
    ['commas alone', '10.0.0.1', ',,,', '10.0.0.1'],
    ['a comma first', '10.0.0.1', ',198.51.100.1', '198.51.100.1'],
    ['what is no address', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['what is none, behind one that is', '10.0.0.1', '198.51.100.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['a quote', '10.0.0.1', '"198.51.100.1"', '10.0.0.1'],
    ['a script', '10.0.0.1', '<script>', '10.0.0.1'],
  ])('%s', (_, peer, header, client) => {
    expect(clientBehind(peer, header, has)).toBe(client);
  });

  test('a header without end costs a few steps', () => {
    expect(clientBehind('10.0.0.1', '10.0.0.2,'.repeat(100_000) + '10.0.0.3', has)).toBe('10.0.0.2');
  });
});

test.each(['', 'localhost', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0/8', '10.0.0.1-5', '/8', '1.2.3.4/8/8'])(
  '%p is no network',
  text => {
    expect(() => parseNetworks([text])).toThrow('must be addresses or networks');
  },
);
test('a network of every address has every address, and nothing else', () => {
  const every = parseNetworks(['0.0.0.0/0', '::/0']);
  expect(['1.2.3.4', 'ff::', '', 'x'].map(each => every.has(each))).toEqual([true, true, false, false]);
});

describe('what is kept of an address', () => {
  test.each([
    ['192.0.2.77', '192.0.2.0'],
    ['2001:db8:7:8::9', '2001:db8:7::'],
    ['2001:db8:7:8:9:a:b:c', '2001:db8:7::'],
    ['2001:db8::9', '2001:db8::'],
    ['2001:db8::7:0:0:9', '2001:db8::'],
    ['2001::1', '2001::'],
    ['::1', '::'],
    ['::', '::'],
    ['1:2:3:4:5:6:7::', '1:2:3::'],
    ['1::7:8', '1::'],
    ['::2:3:4:5:6:7:8', '0:2:3::'],
    ['::3:4:5:6:7:8', '0:0:3::'],
    ['fe80::1%eth0', 'fe80::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::'],
    ['1:2:3:4:5:6:192.0.2.33', '1:2:3::'],
    ['::3:4:5:6:192.0.2.33', '0:0:3::'],
    ['', ''],
  ])('of %s is %s without its end', (address, kept) => {
    expect(keptOf('truncate')?.(address)).toBe(kept);
  });

  test('is nothing, or all of it', () => {
    expect(keptOf('drop')?.('192.0.2.77')).toBe('');
    expect(keptOf('keep')).toBeNull();
  });
});
