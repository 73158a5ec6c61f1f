// Who the client of a ClickHouse behind https says it is: by password, or by its certificate, never by both.

import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clickhouseClient } from '../../../../src/adapters/clickhouse/client.ts';
import { authorityIn } from '../../../support/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'ugc-clickhouse-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a certificate is the user where there is no password, in the URL neither', async () => {
  const authority = authorityIn(folder);
  const [front, ours] = [authority.issue('front'), authority.issue('ours')];
  const seen: (readonly (string | null)[])[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    tls: {
      cert: readFileSync(front.cert, 'utf8'),
      key: readFileSync(front.key, 'utf8'),
      ca: authority.pem,
      requestCert: true,
      rejectUnauthorized: true,
    },
    fetch: ({ headers }) => {
      const names = ['authorization', 'x-clickhouse-user', 'x-clickhouse-key', 'x-clickhouse-ssl-certificate-auth'];
      seen.push(names.map(name => headers.get(name)));
      return new Response();
    },
  });
  const tls = { ca: authority.pem, cert: readFileSync(ours.cert, 'utf8'), key: readFileSync(ours.key, 'utf8') };
  const basic = `Basic ${btoa('me:secret')}`;
  for (const [credentials, password] of [
    ['', ''],
    ['', 'secret'],
    ['me:secret@', ''],
  ] as const) {
    const url = `https://${credentials}127.0.0.1:${server.port}`;
    const client = clickhouseClient({ url, user: 'me', password, timeoutMs: 5_000, tls });
    await client.run('SELECT 1').catch(() => {}); // it is no ClickHouse
    await client.close();
  }
  await server.stop(true);
  expect(seen).toEqual([
    [null, 'me', null, 'on'],
    [basic, null, null, null],
    [basic, null, null, null],
  ]);
});
