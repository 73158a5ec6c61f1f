// What an archive that catches up costs those who are beside it: single posts at a fixed rate to one process that takes events,
// alone, with the archive in the same process, and with an archive that is a process of its own. Rounds take turns, so that what
// else the machine does falls on all alike.

import { rmSync } from 'node:fs';
import { binary, startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { fill, filledTopics } from './fill.ts';
import { percentile } from './process.ts';
import type { Row } from './report.ts';
import { startKafkaBroker } from './transports/kafka.ts';

const kinds = ['ingest alone', 'ingest,archive in one process', 'an archive beside it'] as const;
type Kind = (typeof kinds)[number];

const rounds = 3;
const eventsPerS = 500;
const seconds = 8;

/** Of a round's report: milliseconds from when a post was due. */
interface Times {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export async function archiveBesideBench(events: number): Promise<Row[]> {
  const broker = await startKafkaBroker();
  const topic = `beside-${crypto.randomUUID()}.{event_type}`;
  const times = new Map<Kind, Times[]>(kinds.map(kind => [kind, []]));
  const archived = new Map<Kind, number[]>(kinds.map(kind => [kind, []]));
  try {
    await broker.ensureTopics(filledTopics(topic));
    await fill({ log: broker.openLog(), topic, events });
    for (let round = 0; round < rounds; round++)
      for (const kind of kinds) {
        const found = await besideOf(kind, { broker, topic });
        times.get(kind)!.push(found.times);
        archived.get(kind)!.push(found.perS);
      }
  } finally {
    await broker.stopForGood();
  }
  return kinds.map(kind => {
    const middle = (what: keyof Times): number =>
      percentile(
        times
          .get(kind)!
          .map(found => found[what])
          .sort((a, b) => a - b),
        0.5,
      );
    return {
      what: kind,
      'p50 ms': middle('p50'),
      'p95 ms': middle('p95'),
      'p99 ms': middle('p99'),
      'archived/s': Math.max(...archived.get(kind)!),
      note: `single posts at ${eventsPerS}/s, the middle of ${rounds} rounds of ${seconds} s; backlog ${events}`,
    };
  });
}

interface Beside {
  readonly broker: Awaited<ReturnType<typeof startKafkaBroker>>;
  readonly topic: string;
}

async function besideOf(
  kind: Kind,
  { broker, topic }: Beside,
): Promise<{ readonly times: Times; readonly perS: number }> {
  const folder = temporaryFolder();
  const env = broker.env(topic, crypto.randomUUID());
  const archiving = [`--archive-url=file://${folder}`, '--request-log=false'];
  const start = (roles: string) =>
    startUgc({ dataDir: temporaryFolder(), env, flags: [`--role=${roles}`, ...archiving] });
  const edge = await start(kind === 'ingest,archive in one process' ? 'ingest,archive' : 'ingest');
  await loaded(edge, 2); // warm; an archive in it is at work by then
  const archiver = kind === 'an archive beside it' ? await start('archive') : null;
  const archive = archiver ?? edge;
  const before = await archivedBy(archive);
  const times = await loaded(edge, seconds);
  const perS = ((await archivedBy(archive)) - before) / seconds;
  await archiver?.stop();
  await edge.stop();
  rmSync(folder, { recursive: true });
  return { times, perS };
}

/** By `ugc load`, as an operator would. */
async function loaded(edge: Ugc, forSeconds: number): Promise<Times> {
  const child = Bun.spawn(
    [binary, 'load', `--url=${edge.url}`, `--rate=${eventsPerS}`, `--duration=${forSeconds}`, '--seed=1', '--json'],
    { stdout: 'pipe', stderr: 'ignore', env: { PATH: process.env.PATH ?? '' } },
  );
  const report = (await new Response(child.stdout).json()) as { latency_ms: { from_due: Times } };
  return report.latency_ms.from_due;
}

async function archivedBy({ url }: Ugc): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return [...text.matchAll(/^ugc_archive_events_total\{[^}]*\} (\S+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
}
