// A backlog read as fast as it goes: by a mover into a ClickHouse that stores nothing, and by the vendor's consumer, which
// reads, counts and acknowledges. Each has a filling of its own. The first quarter is not measured: a virtual machine
// compiles what is hot, and connections open. The second filling tells what our log alone costs, without HTTP and judging.

import { startUgc, temporaryFolder } from '../../test/support/ugc.ts';
import { eventually } from '../../test/support/until.ts';
import { type Filled, fill, filledTopics } from '../fill.ts';
import { startNullSink } from '../null-sink.ts';
import { cpuUs } from '../process.ts';
import type { Row } from '../report.ts';
import type { BenchBroker, PeerCommand } from './broker.ts';
import { startPeer } from './java.ts';

const unmeasured = 0.25;

/** Of a log that is called with so many at a time, so that no more is under way than behind 64 connections. */
const callEvents = 1_600;

export interface Backlog extends Filled {
  /** What it took to write. */
  readonly written: Row;
}

export async function backlogOf(broker: BenchBroker, events: number): Promise<Backlog> {
  const topic = `fill-${crypto.randomUUID()}.{event_type}`;
  await broker.ensureTopics(filledTopics(topic));
  const before = { atMs: performance.now(), us: cpuUs(process.pid), server: broker.us() };
  const filled = await fill({ log: broker.openLog(), topic, events, callEvents });
  return {
    ...filled,
    written: {
      what: broker.title,
      'events/s': Math.round(events / ((performance.now() - before.atMs) / 1_000)),
      'core-µs/event': (cpuUs(process.pid) - before.us) / events,
      'server core-µs/event': (broker.us() - before.server) / events,
      note: `${Math.round(filled.bytes / events)} bytes an event`,
    },
  };
}

export async function drainByUgc(broker: BenchBroker, filled: Filled): Promise<Row> {
  const { events } = filled;
  const sink = await startNullSink();
  const ugc = await startUgc({
    dataDir: temporaryFolder(),
    env: broker.env(filled.topic, 'bench'),
    // The sink has every table, as a server that is not new.
    flags: ['--role=etl', `--clickhouse-url=${sink.url}`, '--clickhouse-migrate=off'],
  });
  try {
    const measured = await measure({ broker, pid: ugc.pid, events, count: async () => (await sink.stats()).rows });
    const { rows, bytes, inserts } = await sink.stats();
    const isWhole = rows === events && bytes === filled.bytes;
    return {
      what: `${broker.title}: ugc`,
      ...measured,
      note: `${rows} rows and ${bytes} bytes, ${isWhole ? 'as' : 'NOT as'} written; ${inserts} inserts`,
    };
  } finally {
    ugc.kill('SIGKILL');
    await ugc.exited;
    await sink.stop();
  }
}

export async function drainByPeer(broker: BenchBroker, peer: PeerCommand, { topic, events }: Filled): Promise<Row> {
  const { pid, count, stop } = await startPeer(peer, 'consume', filledTopics(topic));
  try {
    return { what: `${broker.title}: ${peer.title}`, ...(await measure({ broker, pid, events, count })), note: '' };
  } finally {
    await stop();
  }
}

interface Measuring {
  readonly broker: BenchBroker;
  readonly pid: number;
  readonly events: number;
  /** Read so far. */
  readonly count: () => Promise<number>;
}

async function measure({ broker, pid, events, count }: Measuring) {
  const now = async () => ({ count: await count(), atMs: performance.now(), us: cpuUs(pid), server: broker.us() });
  const reached = (wanted: number) =>
    eventually(
      async () => {
        const at = await now();
        return at.count >= wanted ? at : null;
      },
      { what: `${wanted} events read`, msMax: 120_000, pauseMs: 5 },
    );
  const before = await reached(events * unmeasured);
  const after = await reached(events);
  const read = after.count - before.count;
  return {
    'events/s': Math.round(read / ((after.atMs - before.atMs) / 1_000)),
    'core-µs/event': (after.us - before.us) / read,
    'server core-µs/event': (after.server - before.server) / read,
  };
}
