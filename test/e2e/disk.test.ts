// The disk at its worst: full, and lying.

import { expect, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exampleClick } from '../support/events.ts';
import { load, newLedger } from '../support/load.ts';
import { compare, drained, metric } from '../support/oracle.ts';
import { randomOf } from '../support/random.ts';
import { smallDisk } from '../support/small-disk.ts';
import { eventually, startUgc, temporaryFolder } from '../support/ugc.ts';

const click = (element: string) => ({ ...exampleClick, event_id: Bun.randomUUIDv7(), element });

/** Load until the answer is 503, then until it is 200 again after `relieve`; then everything acked must be a row. */
async function fillAndRelieve(options: {
  readonly dataDir: string;
  readonly ingestFlags: readonly string[];
  /** Makes room; what it gives back ends whatever makes it. */
  readonly relieve: () => Promise<() => Promise<unknown>>;
}): Promise<void> {
  const random = randomOf('disk full');
  const ledger = newLedger();
  const ugc = await startUgc({ dataDir: options.dataDir, flags: [...options.ingestFlags, '--request-log=false'] });
  const loading = new AbortController();
  const done = load({ url: ugc.url, random, ledger, clients: 8, signal: loading.signal });
  await eventually(() => (ledger.failures.get(503) ?? 0) > 20, { msMax: 300_000, what: 'a full disk' });
  // Near the end a small event may still fit where a large one does not, so both are asked until they agree.
  const refused = await eventually(
    async () => {
      const response = await ugc.post(click('full'));
      return response.status === 503 && (await fetch(`${ugc.url}/healthz/ready`)).status === 503 ? response : null;
    },
    { what: '503 to a single event' },
  );
  expect(refused.headers.has('retry-after')).toBe(true);
  expect(((await refused.json()) as { type: string }).type).toStartWith('urn:ugc:problem:buffer-f');
  expect((await fetch(`${ugc.url}/healthz/live`)).status).toBe(200);

  const settle = await options.relieve();
  await eventually(async () => (await ugc.post(click('again'))).status === 200, { what: 'a 200 again' });
  loading.abort();
  await done;
  // What was under way may have filled it once more.
  await eventually(async () => (await ugc.post(click('counted'))).status === 200, { what: 'a 200 without load' });
  await settle();
  expect([...ledger.failures.keys()]).toEqual([503]);
  expect(await ugc.stop()).toBe(0);
  const all = await startUgc({ dataDir: options.dataDir });
  const { lost, doubled } = await compare(all, ledger);
  expect({ lost, doubled }).toEqual({ lost: [], doubled: [] });
  expect(await all.stop()).toBe(0);
}

/** An etl process of its own; gives back how to end it. */
async function mover(dataDir: string): Promise<() => Promise<unknown>> {
  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  return async () => expect(await etl.stop()).toBe(0);
}

test('a full buffer answers 503 and goes on by itself once etl has made room', async () => {
  const dataDir = temporaryFolder();
  await fillAndRelieve({
    dataDir,
    ingestFlags: ['--role=ingest', '--buffer-bytes-max=4MiB'],
    relieve: () => mover(dataDir),
  });
});

for (const role of ['ingest', 'all'])
  test(`a start of ${role} on a volume without a free byte answers 503, and goes on by itself once there is room`, async () => {
    const disk = smallDisk(256);
    if (disk === null) return; // it has said so aloud
    const filler = join(disk.path, 'filler');
    try {
      expect(() => writeFileSync(filler, Buffer.alloc(300 * 2 ** 20))).toThrow('ENOSPC');
      const dataDir = join(disk.path, 'data');
      const ugc = await startUgc({ dataDir, flags: [`--role=${role}`, '--buffer-disk-reserve-bytes=1MiB'] });
      expect(ugc.output()).toContain(`there is no room for the disk buffer ${dataDir}/buffer.sqlite`);
      expect(ugc.output()).toContain('UGC_DATA_DIR');
      const refused = await ugc.post(click('early'));
      expect(refused.status).toBe(503);
      expect(refused.headers.has('retry-after')).toBe(true);
      const health = await fetch(`${ugc.url}/healthz/ready`);
      expect(health.status).toBe(503);
      expect(await health.text()).toContain('there is no room for the disk buffer');
      expect((await fetch(`${ugc.url}/healthz/live`)).status).toBe(200);
      expect((await fetch(`${ugc.url}/metrics`)).status).toBe(200);
      rmSync(filler);
      await eventually(async () => (await ugc.post(click('late'))).status === 200, { what: 'a 200' });
      expect((await fetch(`${ugc.url}/healthz/ready`)).status).toBe(200);
      if (role === 'all')
        await eventually(
          async () => (await ugc.query("SELECT count() AS n FROM ugc.click WHERE element = 'late'"))[0]?.n === 1,
          { what: 'a row' },
        );
      expect(await ugc.stop()).toBe(0);
    } finally {
      disk.unmount();
    }
  });

test('a full volume answers 503 and goes on by itself once etl has made room', async () => {
  const disk = smallDisk(16);
  const dataDir = disk?.path ?? temporaryFolder();
  try {
    const elsewhere = temporaryFolder();
    mkdirSync(dataDir, { recursive: true });
    symlinkSync(elsewhere, join(dataDir, 'clickhouse'));
    await fillAndRelieve({
      dataDir,
      ingestFlags: ['--role=ingest', disk === null ? '--buffer-bytes-max=8MiB' : '--buffer-disk-reserve-bytes=1MiB'],
      relieve: () => mover(dataDir),
    });
  } finally {
    disk?.unmount();
  }
});

test('a volume that somebody else fills, ClickHouse on it too, stops nothing for good', async () => {
  const disk = smallDisk(128);
  const dataDir = disk?.path ?? temporaryFolder();
  const filler = join(dataDir, 'filler');
  try {
    const isReal = disk !== null;
    const reserve = isReal ? '--buffer-disk-reserve-bytes=2MiB' : '--buffer-bytes-max=2MiB';
    if (isReal) {
      const { bavail, bsize } = statfsSync(dataDir);
      writeFileSync(filler, Buffer.alloc(Number(bavail) * Number(bsize) - 24 * 2 ** 20, 1));
    }
    await fillAndRelieve({
      dataDir,
      ingestFlags: isReal ? [reserve] : ['--role=ingest', reserve],
      relieve: async () => {
        if (!isReal) return mover(dataDir);
        rmSync(filler);
        return async () => {};
      },
    });
  } finally {
    disk?.unmount();
  }
});

test('one flipped byte in the buffer costs one event, set aside and counted; the rest flows', async () => {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest'] });
  const events = Array.from({ length: 300 }, (_, at) => click(`marker-${at}-end`));
  expect((await ingest.post(events)).status).toBe(200);
  expect(await ingest.stop()).toBe(0);
  const file = join(dataDir, 'buffer.sqlite');
  const bytes = readFileSync(file);
  const at = bytes.indexOf('marker-150-end');
  expect(at).toBeGreaterThan(0);
  bytes[at + 3]! ^= 0x04;
  writeFileSync(file, bytes);

  const ugc = await startUgc({ dataDir });
  await drained(ugc);
  const rows = await ugc.query<{ element: string }>('SELECT element FROM ugc.click');
  const elements = new Set(rows.map(({ element }) => element));
  expect(rows).toHaveLength(299);
  expect(elements.has('marker-150-end')).toBe(false);
  expect(await metric(ugc.url, 'ugc_buffer_quarantined_events')).toBe(1);
  expect((await ugc.post(click('after'))).status).toBe(200);
  await drained(ugc);
  expect(await ugc.stop()).toBe(0);
});
