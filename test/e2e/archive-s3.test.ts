// The role archive on the compiled binary, into a real S3 over TLS: what is answered `accepted` is in its manifest once, also
// when the server was dead meanwhile; what does not work is said.

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue } from '../../schemas/catalogue.ts';
import { s3Store } from '../../src/adapters/s3/store.ts';
import { readHoldings } from '../../src/archive/holdings.ts';
import { archivedIn, straysIn } from '../support/archive-oracle.ts';
import { eventsIn } from '../support/archived-events.ts';
import { type Authority, authorityIn } from '../support/certificates.ts';
import { isWithoutS3, startS3, type TestS3 } from '../support/s3.ts';
import { type TlsProxy, tlsProxy } from '../support/tls-proxy.ts';
import { eventually, runUgc, startUgc, temporaryFolder, type Ugc } from '../support/ugc.ts';

describe.skipIf(await isWithoutS3())('the archive in S3', () => {
  let s3: TestS3;
  let proxy: TlsProxy;
  let authority: Authority;
  const folder = mkdtempSync(join(tmpdir(), 'ugc-archive-s3-'));

  beforeAll(async () => {
    s3 = await startS3();
    authority = authorityIn(folder);
    proxy = await tlsProxy({ target: s3.port, pair: authority.issue('s3') });
  });
  afterAll(async () => {
    await proxy?.close();
    await s3?.stopForGood();
    rmSync(folder, { recursive: true, force: true });
  });

  const flags = (bucket: string, prefix: string): string[] => [
    `--archive-url=s3://${bucket}/${prefix}`,
    `--archive-endpoint=https://localhost:${proxy.port}`,
    `--archive-tls-ca=${authority.ca}`,
    `--archive-access-key=${s3.accessKey}`,
    `--archive-secret-key=${s3.secretKey}`,
    '--archive-timeout-ms=5000',
    '--archive-file-seconds=1',
    '--rejections-seconds=0',
    '--ledger=false',
  ];

  async function send(ugc: Ugc, count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => Bun.randomUUIDv7());
    const events = ids.map(id => ({ ...catalogue.find('film_closed')!.example, event_id: id }));
    const response = await ugc.post(JSON.stringify(events));
    expect({ status: response.status, text: response.status === 200 ? '' : await response.text() }).toEqual({
      status: 200,
      text: '',
    });
    return ids;
  }

  test('holds each accepted event once, also when the server was killed and stood still meanwhile', async () => {
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: flags(s3.bucket, 'of/ugc') });
    const ids = await send(ugc, 20);
    await s3.kill();
    ids.push(...(await send(ugc, 20)));

    await s3.restart();
    s3.stop();
    ids.push(...(await send(ugc, 20)));
    s3.cont();
    const store = s3Store({
      url: `s3://${s3.bucket}/of/ugc`,
      endpoint: s3.endpoint,
      region: 'us-east-1',
      accessKey: s3.accessKey,
      secretKey: s3.secretKey,
      sessionToken: '',
      addressing: 'auto',
      isSingleWriter: false,
      timeoutMs: 60_000,
    });
    const records = async () => (await archivedIn(store)).entries.reduce((sum, { records }) => sum + records, 0);
    await eventually(async () => (await records()) >= ids.length, { what: 'everything in the manifest' });
    const events = await eventsIn(await archivedIn(store), 'parquet');
    expect(events.map(({ event_id: id }) => String(id)).toSorted()).toEqual(ids.toSorted());
    expect(await straysIn(store)).toEqual([]);

    ids.push(...(await send(ugc, 5)));
    await eventually(async () => (await records()) >= ids.length, { what: 'what came last in the manifest' });
    expect(await ugc.stop()).toBe(0);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const own = flags(s3.bucket, 'of/ugc').filter(flag => flag.startsWith('--archive'));
    const compact = () =>
      runUgc(['archive', 'compact', ...own, `--to=${tomorrow}`, '--files-min=2', '--grace=0', '--json']);
    const [first, second] = [await compact(), await compact()];
    expect([first.code, second.code, JSON.parse(second.stdout).problems]).toEqual([0, 0, []]);
    const { files, problems } = await readHoldings(store, new AbortController().signal);
    const rows = files.reduce((sum, { rows: of }) => sum + of, 0);
    expect({ rows, problems }).toEqual({ rows: ids.length, problems: [] });
    expect(files.every(({ path }) => path.startsWith('compacted/'))).toBe(true);
    const there = (await store.list('')).map(({ path }) => path).filter(path => !path.startsWith('_'));
    expect(there).toEqual(files.map(({ path }) => path).toSorted());
    await store.close();
  }, 300_000);

  test('says what is missing there, and takes events all the same', async () => {
    const ugc = await startUgc({ dataDir: temporaryFolder(), flags: flags('no-such-bucket', 'x') });
    await send(ugc, 1);
    const ready = await eventually(async () => {
      const text = await (await fetch(`${ugc.url}/healthz/ready`)).text();
      return text.includes('UGC_ARCHIVE_URL') && text;
    });
    expect(ready).toContain('there is no such bucket');
    expect(await ugc.stop()).toBe(0);
  }, 300_000);
});
