// `ugc load` the ways it is used from afar: two instances behind TLS with keys and types of their own, whose rows lie in one
// ClickHouse, one of the instances away; and events as large as a document says.

import { afterAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { readInstance } from '../../src/process/instance.ts';
import { authorityIn } from '../support/certificates.ts';
import { typeFiles, typeJson } from '../support/type-files.ts';
import { cleanUp, eventually, runUgc, startUgc, temporaryFolder } from '../support/ugc.ts';

afterAll(cleanUp);

interface Edge {
  readonly url: string;
  readonly requests: number;
  readonly accepted: number;
  readonly failed: number;
  readonly connections_refused: number;
  readonly answers: Readonly<Record<string, number>>;
}

interface Told {
  readonly events: number;
  readonly bytes: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly edges: readonly Edge[];
  readonly verified: Readonly<Record<'accepted' | 'rows' | 'missing' | 'duplicate', number>>;
}

const load = async (flags: readonly string[]) => {
  const { code, stdout, stderr } = await runUgc(['load', '--json', '--verify', ...flags]);
  if (stdout === '') throw new Error(stderr);
  return { code, told: JSON.parse(stdout) as Told };
};

test('two instances behind TLS, by key, with types of a folder, and the rows of both in one ClickHouse', async () => {
  const folder = temporaryFolder();
  const authority = authorityIn(folder);
  const { cert, key } = authority.issue('front');
  const types = typeFiles(join(folder, 'types'));
  types.write(typeJson('trailer_watched'));
  const holder = await startUgc({ dataDir: folder });
  const clickhouse = [
    `--clickhouse-url=${holder.clickhouseUrl}`,
    '--clickhouse-user=ugc',
    `--clickhouse-password=${readInstance(folder)!.clickhouseKey}`,
    `--schemas-dir=${types.folder}`,
  ];
  const edges = await Promise.all(
    ['a', 'b'].map(async name => {
      const dataDir = join(folder, name);
      const flags = [...clickhouse, `--tls-cert=${cert}`, `--tls-key=${key}`, '--auth=keys'];
      const ugc = await startUgc({ dataDir, flags });
      const made = (await runUgc(['keys', 'add', 'load', `--data-dir=${dataDir}`])).stdout.trim();
      const headers = { authorization: `Bearer ${made}` };
      const asked = { method: 'POST', body: '{}', headers, tls: { ca: authority.pem } };
      await eventually(async () => (await fetch(`${ugc.url}/v1/events`, asked)).status !== 401, {
        what: 'its key counts',
      });
      return { ugc, key: made };
    }),
  );
  const urls = edges.map(({ ugc }) => `--url=${ugc.url}`);
  const given = [...urls, ...clickhouse, `--ca=${authority.ca}`, '--rate=200', '--duration=2', '--connections=4'];

  const [first, second] = edges as [(typeof edges)[number], (typeof edges)[number]];
  const keyed = await load([...given, `--key=${first.key}`]);
  const by = keyed.told.edges;
  expect(by.map(({ url }) => url)).toEqual([first.ugc.url, second.ugc.url]);
  // In turn; the second knows no such key, and says so of each of its requests.
  expect(Math.abs(by[0]!.requests - by[1]!.requests)).toBeLessThan(150);
  expect(by[0]).toMatchObject({ accepted: by[0]!.requests, failed: 0, connections_refused: 0 });
  expect(by[1]).toMatchObject({ accepted: 0, failed: by[1]!.requests, connections_refused: 0 });
  expect(Object.keys(by[1]!.answers)).toEqual([expect.stringMatching(/^401/)]);
  expect(keyed).toMatchObject({ code: 0, told: { verified: { rows: by[0]!.accepted, missing: 0, duplicate: 0 } } });
  const rows = await holder.query<{ n: string }>('SELECT count() AS n FROM ugc.trailer_watched');
  expect(Number(rows[0]!.n)).toBe(by[0]!.accepted);

  // One of them dies: what is due goes to the other.
  second.ugc.kill('SIGKILL');
  await second.ugc.exited;
  const alone = await load([...given, `--key=${first.key}`]);
  expect(alone.told.edges[0]!.accepted).toBe(alone.told.events);
  expect(alone.told.edges[1]).toMatchObject({ requests: 0 });
  expect(alone.told.edges[1]!.connections_refused).toBeGreaterThan(0);
  expect(alone).toMatchObject({ code: 0, told: { verified: { rows: alone.told.events, missing: 0 } } });

  // Nobody knows who signed that certificate.
  const strange = await runUgc(['load', `--url=${first.ugc.url}`, '--duration=1', '--rate=10']);
  expect(strange.code).toBe(1);
  expect(strange.stderr).toMatch(/nobody takes a connection .*certificate/);
  await first.ugc.stop();
  await holder.stop();
}, 120_000);

test('events of 4 KB in every shape, and those that are too large are refused in words', async () => {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir });
  const given = [`--url=${ugc.url}`, `--data-dir=${dataDir}`, '--rate=100', '--duration=1', '--batch=10'];
  for (const shape of ['single', 'segment', 'ndjson']) {
    const { code, told } = await load([...given, `--shape=${shape}`, '--event-bytes=4KiB', '--clock-skew=5']);
    const { events, outcomes, verified } = told;
    expect({ shape, code, outcomes }).toMatchObject({ code: 0, outcomes: { accepted: events, refused: 0 } });
    expect(told.bytes / events).toBeWithin(4_096, 4_150);
    expect(verified).toMatchObject({ rows: events, missing: 0, duplicate: 0 });
  }
  const [row] = await ugc.query<{ bytes: number }>('SELECT min(length(properties)) AS bytes FROM ugc.page_view');
  expect(Number(row!.bytes)).toBeGreaterThan(3_000);
  const large = await load([...given, '--event-bytes=70KiB']);
  expect(large).toMatchObject({ code: 1, told: { outcomes: { accepted: 0, wrongly_refused: large.told.events } } });
  await ugc.stop();
}, 120_000);
