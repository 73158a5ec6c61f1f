// The archive on the compiled binary: a backlog of film events in Kafka becomes files in a folder of this machine, in each
// format, and is brought back from them into the embedded engine's tables. Of archiving the middle half is measured: what is
// flowing, without connecting and without the last files, which wait for their age. Restoring is the whole command.

import { rmSync } from 'node:fs';
import { binary, startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { eventually } from '../test/support/until.ts';
import { fill, filledTopics } from './fill.ts';
import { cpuUs } from './process.ts';
import type { Row } from './report.ts';
import { startKafkaBroker } from './transports/kafka.ts';

const kinds = {
  'parquet, snappy': ['--archive-format=parquet', '--archive-compression=snappy'],
  'parquet, zstd': ['--archive-format=parquet', '--archive-compression=zstd'],
  csv: ['--archive-format=csv'],
} as const;

/** Of JSON: several files of each partition. */
const fileBytes = 8_388_608;

export async function archiveBench(events: number): Promise<Row[]> {
  const broker = await startKafkaBroker();
  const topic = `archive-${crypto.randomUUID()}.{event_type}`;
  const rows: Row[] = [];
  try {
    await broker.ensureTopics(filledTopics(topic));
    const { bytes: json } = await fill({ log: broker.openLog(), topic, events });
    for (const [what, flags] of Object.entries(kinds)) {
      const folder = temporaryFolder();
      const archiving = [`--archive-url=file://${folder}`, `--archive-file-bytes=${fileBytes}`, ...flags];
      rows.push(await archived(what, { broker, topic, events, json, archiving }));
      rows.push(await restored(`${what}, restored`, { events, archiving }));
      rmSync(folder, { recursive: true });
    }
  } finally {
    await broker.stopForGood();
  }
  return rows;
}

interface Archiving {
  readonly broker: Awaited<ReturnType<typeof startKafkaBroker>>;
  readonly topic: string;
  readonly events: number;
  readonly json: number;
  readonly archiving: readonly string[];
}

export async function archived(what: string, { broker, topic, events, json, archiving }: Archiving): Promise<Row> {
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    env: broker.env(topic, crypto.randomUUID()),
    flags: ['--role=archive', '--archive-file-seconds=2', '--request-log=false', ...archiving],
  });
  const reached = (wanted: number) =>
    eventually(
      async () => {
        const { total, bytes } = await writtenBy(ugc.url);
        return total >= wanted ? { total, bytes, atMs: performance.now(), us: cpuUs(ugc.pid) } : null;
      },
      { what: `${wanted} events in the manifest`, msMax: 300_000, pauseMs: 10 },
    );
  const before = await reached(events * 0.25);
  const after = await reached(events * 0.75);
  const last = await reached(events);
  await ugc.stop();
  const count = after.total - before.total;
  return {
    what,
    'events/s': Math.round(count / ((after.atMs - before.atMs) / 1_000)),
    'core-µs/event': (after.us - before.us) / count,
    'bytes per JSON byte': last.bytes / json,
    note: `${events} events of ${Math.round(json / events)} B`,
  };
}

async function writtenBy(url: string): Promise<{ readonly total: number; readonly bytes: number }> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'gm'))].reduce(
      (all, [, value]) => all + Number(value),
      0,
    );
  return { total: sum('ugc_archive_events_total'), bytes: sum('ugc_archive_bytes_total') };
}

async function restored(what: string, { events, archiving }: Pick<Archiving, 'events' | 'archiving'>): Promise<Row> {
  const dataDir = temporaryFolder();
  const ugc = await startUgc({ dataDir, flags: ['--role=etl'] }); // the tables, as they are before anything is lost
  await ugc.stop();
  const startedAt = performance.now();
  const child = Bun.spawn([binary, 'archive', 'restore', `--data-dir=${dataDir}`, ...archiving], {
    stdout: 'ignore',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '' },
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(said.slice(-2_000));
  const { user, system } = child.resourceUsage()!.cpuTime;
  return {
    what,
    'events/s': Math.round(events / ((performance.now() - startedAt) / 1_000)),
    'core-µs/event': Number(user + system) / events,
    'bytes per JSON byte': '',
    note: 'the whole command',
  };
}
