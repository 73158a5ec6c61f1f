// X-Forwarded-For as anybody may forge it, against the compiled binary: what is stored as the client's address.

import { expect, test } from 'bun:test';
import { exampleClick } from '../support/events.ts';
import { rawHttp } from '../support/raw-http.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';
import { soon } from '../support/until.ts';

const timestamp = new Date().toISOString();

test('X-Forwarded-For counts only from a proxy that is trusted, and only as far as it wrote it', async () => {
  const forged = [
    '6.6.6.6',
    '[2001:db8::6]:1',
    '6.6.6.6:80',
    '6.6.6.6, 7.7.7.7',
    'unknown',
    ',,,',
    `${'6.6.6.6,'.repeat(1_000)}x`,
  ];
  const ipsWith = async (flags: readonly string[], sent: readonly string[]): Promise<string[]> => {
    const other = await startUgc({ dataDir: temporaryFolder(), flags });
    for (const [at, value] of sent.entries()) {
      const body = JSON.stringify({ ...exampleClick, timestamp, element: String(at).padStart(2, '0') });
      const lines = [
        'POST /v1/events HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        `X-Forwarded-For: ${value}`,
        'Connection: close',
        `Content-Length: ${body.length}`,
      ];
      const exchange = await rawHttp(other.url, lines, body);
      await soon(exchange.closed, 'the answer');
      expect(exchange.received()).toStartWith('HTTP/1.1 200 ');
    }
    const rows = () => other.query<{ ip: string }>('SELECT ip FROM ugc.click ORDER BY element');
    await eventually(async () => (await rows()).length === sent.length, { what: 'the rows' });
    const ips = (await rows()).map(row => row.ip);
    expect(await other.stop()).toBe(0);
    return ips;
  };
  expect(new Set(await ipsWith([], forged))).toEqual(new Set(['127.0.0.1']));
  const behind = [...forged.map(value => `${value}, 192.0.2.9`), '2001:DB8::9', '[2001:db8::9]:1', '192.0.2.9:1'];
  expect(await ipsWith(['--trusted-proxies=127.0.0.1'], [...behind, 'unknown', 'x, 127.0.0.1'])).toEqual([
    ...forged.map(() => '192.0.2.9'),
    '2001:db8::9',
    '2001:db8::9',
    '192.0.2.9',
    '127.0.0.1',
    '127.0.0.1',
  ]);
});
