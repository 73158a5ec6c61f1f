// What becomes of a request by who its client is: what is derived, kept and not wanted, by the settings.

import { describe, expect, test } from 'bun:test';
import type { Origin } from '../../../../src/catalogue/origin.ts';
import { arrivalOf } from '../../../../src/http/arrival.ts';
import { keptOf } from '../../../../src/http/client-address.ts';
import { anybody, type Caller } from '../../../../src/http/route.ts';
import { agents } from '../../../../src/ingest/client/agent.ts';
import { type ClientPolicies, clientsOf } from '../../../../src/ingest/client/client.ts';
import { type OwnTraffic, ownTrafficOf } from '../../../../src/ingest/client/own-traffic.ts';
import { parseNetworks } from '../../../../src/process/address.ts';
import { originOf } from '../../../support/edge.ts';

const browser = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const named = '"edge":{"browser":"Firefox","browser_version":"128","os":"Linux"';
const server: Caller = { name: 'back-end', isServer: true };

const off: ClientPolicies = {
  keptAddress: null,
  readAgent: agents(),
  tellsAgent: false,
  bots: 'keep',
  countryOf: null,
  privacy: 'ignore',
  isOwn: null,
  own: 'mark',
};

interface Asked {
  readonly userAgent?: string;
  readonly headers?: Record<string, string>;
  readonly caller?: Caller;
  readonly address?: string;
}

function seen(policies: Partial<ClientPolicies>, asked: Asked = {}): Origin {
  const { userAgent = browser, headers = {}, caller = anybody, address = '192.0.2.77' } = asked;
  const request = new Request('http://test/v1/events', { headers });
  const call = { request, params: {}, arrival: arrivalOf(request), address, caller };
  const clients = clientsOf({ ...off, ...policies });
  if (clients === undefined) throw new Error('nothing is asked for');
  return clients(call, originOf({ ip: address, userAgent }));
}

test('with nothing asked for there is nobody to ask', () => {
  expect(clientsOf(off)).toBeUndefined();
  expect(clientsOf({ ...off, readAgent: null })).toBeUndefined();
});

describe('a user agent', () => {
  test('tells device, browser and system', () => {
    expect(seen({ tellsAgent: true })).toMatchObject({
      ip: '192.0.2.77',
      userAgent: browser,
      derived: { device: 'desktop', marks: `${named}}` },
    });
    expect(seen({ tellsAgent: true }, { userAgent: '' }).derived).toMatchObject({ device: '', marks: undefined });
  });

  test('tells a bot, which is marked or not wanted', () => {
    const bot = { userAgent: 'curl/8.5.0' };
    expect(seen({ bots: 'mark' }, bot)).toMatchObject({
      derived: { marks: '"edge":{"bot":true}' },
      unwanted: undefined,
    });
    expect(seen({ bots: 'drop' }, bot)).toMatchObject({ derived: { marks: undefined }, unwanted: 'bot-traffic' });
    for (const bots of ['mark', 'drop'] as const)
      expect(seen({ bots })).toMatchObject({ derived: { marks: undefined, device: undefined }, unwanted: undefined });
    expect(seen({ tellsAgent: true }, bot)).toMatchObject({ derived: { marks: undefined }, unwanted: undefined });
  });
});

test('an address tells a country', () => {
  expect(seen({ countryOf: address => (address === '192.0.2.77' ? 'DE' : '') }).derived).toMatchObject({
    country: 'DE',
  });
  expect(seen({ countryOf: () => '' }).derived).toMatchObject({ country: '' });
  expect(seen({ tellsAgent: true }).derived?.country).toBeUndefined();
});

test('of an address as much is stored as is wanted, and rules and countries go by the whole', () => {
  const countryOf = (address: string): string => (address === '192.0.2.77' ? 'DE' : '');
  const truncated = seen({ keptAddress: keptOf('truncate'), countryOf });
  expect(truncated).toMatchObject({ ip: '192.0.2.0', address: '192.0.2.77', derived: { country: 'DE' } });
  expect(seen({ keptAddress: keptOf('drop') })).toMatchObject({ ip: '', address: '192.0.2.77', userAgent: browser });
  expect(seen({ keptAddress: keptOf('drop') }, { caller: server }).ip).toBe('');
});

describe('a sign of privacy', () => {
  const gpc = { headers: { 'sec-gpc': '1', dnt: '1' } };
  const dnt = { headers: { dnt: '1' } };

  test('is marked', () => {
    expect(seen({ privacy: 'mark' }, gpc).derived).toMatchObject({
      marks: '"edge":{"privacy":"gpc"}',
      isNobody: false,
    });
    expect(seen({ privacy: 'mark', tellsAgent: true }, dnt).derived?.marks).toBe(`${named},"privacy":"dnt"}`);
  });

  test('takes away who it was, and nothing that is derived', () => {
    expect(seen({ privacy: 'drop-identity', tellsAgent: true, countryOf: () => 'DE' }, gpc)).toMatchObject({
      ip: '',
      userAgent: '',
      derived: { isNobody: true, device: 'desktop', country: 'DE', marks: `${named},"privacy":"gpc"}` },
      unwanted: undefined,
    });
  });

  test('has events not stored', () => {
    expect(seen({ privacy: 'drop' }, dnt).unwanted).toBe('privacy-signals');
  });

  test('is none with another value, and counts for a server too that hands it on', () => {
    for (const said of ['0', 'unspecified', ''])
      for (const privacy of ['mark', 'drop-identity', 'drop'] as const)
        expect(seen({ privacy }, { headers: { 'sec-gpc': said, dnt: said } })).toMatchObject({
          ip: '192.0.2.77',
          derived: { marks: undefined, isNobody: false },
          unwanted: undefined,
        });
    expect(seen({ privacy: 'drop' }, { ...gpc, caller: server }).unwanted).toBe('privacy-signals');
  });
});

describe('a server’s key', () => {
  test('has nothing derived, and is neither a bot nor one’s own', () => {
    const origin = seen(
      { tellsAgent: true, bots: 'drop', countryOf: () => 'DE', isOwn: () => true, own: 'drop' },
      { caller: server, userAgent: 'curl/8.5.0' },
    );
    expect([origin.derived, origin.unwanted]).toEqual([undefined, undefined]);
    const marked = seen(
      { tellsAgent: true, bots: 'mark', countryOf: () => 'DE', isOwn: () => true, privacy: 'mark' },
      { caller: server, userAgent: 'curl/8.5.0', headers: { dnt: '1' } },
    );
    expect(marked.derived).toEqual({
      country: undefined,
      device: undefined,
      isBot: false,
      marks: '"edge":{"privacy":"dnt"}',
      isNobody: false,
    });
  });
});

describe('one’s own traffic', () => {
  const isOwnBy = (own: Partial<OwnTraffic>) => ownTrafficOf({ networks: null, cookie: '', header: '', ...own });

  test('is marked or not wanted, whatever else is', () => {
    const isOwn = isOwnBy({ networks: parseNetworks(['192.0.2.0/24']) });
    expect(seen({ isOwn })).toMatchObject({ derived: { marks: '"edge":{"own":true}' }, unwanted: undefined });
    expect(seen({ isOwn, own: 'drop' }).unwanted).toBe('own-traffic');
    expect(seen({ isOwn, own: 'drop', bots: 'drop' }, { userAgent: 'curl/8.5.0' }).unwanted).toBe('own-traffic');
    expect(seen({ isOwn, own: 'drop' }, { address: '198.51.100.1' })).toMatchObject({
      derived: { marks: undefined },
      unwanted: undefined,
    });
  });

  test('is marked of one request, and of no other of the same browser', () => {
    const clients = clientsOf({ ...off, tellsAgent: true, isOwn: isOwnBy({ header: 'x-staff' }), privacy: 'mark' });
    const marksOf = (headers: Record<string, string>) => {
      const request = new Request('http://test/v1/events', { headers });
      const call = { request, params: {}, arrival: arrivalOf(request), address: '192.0.2.1', caller: anybody };
      return clients?.(call, originOf({ userAgent: browser })).derived?.marks;
    };
    const asked = [{ 'x-staff': '' }, {}, { 'sec-gpc': '1' }, {}, { 'x-staff': '' }];
    const own = `${named},"own":true}`;
    expect(asked.map(marksOf)).toEqual([own, `${named}}`, `${named},"privacy":"gpc"}`, `${named}}`, own]);
  });

  test('is nobody’s where nothing says what it is', () => {
    expect(isOwnBy({})).toBeNull();
  });

  test.each([
    [{ cookie: 'staff' }, { cookie: 'staff=1' }, true],
    [{ cookie: 'staff' }, { cookie: 'a=b; staff=' }, true],
    [{ cookie: 'staff' }, { cookie: 'a=b;staff=x; c=d' }, true],
    [{ cookie: 'staff' }, { cookie: 'staff' }, true],
    [{ cookie: 'staff' }, { cookie: 'staffing=1; a=staff' }, false],
    [{ cookie: 'staff' }, {}, false],
    [{ cookie: 'staff=yes' }, { cookie: 'a=b; staff=yes' }, true],
    [{ cookie: 'staff=yes' }, { cookie: 'staff=yesterday' }, false],
    [{ cookie: 'staff=yes' }, { cookie: 'mystaff=yes' }, false],
    [{ header: 'x-staff' }, { 'X-Staff': 'anything' }, true],
    [{ header: 'x-staff' }, {}, false],
    [{ header: 'x-staff=a=b' }, { 'x-staff': 'a=b' }, true],
    [{ header: 'x-staff=yes' }, { 'x-staff': 'no' }, false],
  ] as const)('by %j, of %j: %p', (own, headers, wanted) => {
    expect(isOwnBy(own)?.(new Headers(headers as Record<string, string>), '192.0.2.1')).toBe(wanted);
  });
});
