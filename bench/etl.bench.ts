// The mover on a real Kafka: how fast it drains what lies there, into a ClickHouse that stores nothing and into the
// embedded engine. Then what it does under live load (etl-live.ts).

import { startKafka, type TestKafka } from '../test/support/kafka.ts';
import { metric } from '../test/support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { freshnessOver, wholeChain } from './etl-live.ts';
import type { Filled } from './fill.ts';
import { countIds } from './ids.ts';
import { brokerFlags, brokerUs } from './kafka.bench.ts';
import { fillKafka } from './kafka-fill.ts';
import { startNullSink } from './null-sink.ts';
import { cpuUs, residentMb } from './process.ts';
import { markdown, type Row } from './report.ts';
import { kafkaAs } from './transports/kafka.ts';

export interface EtlBenchOptions {
  /** Events of a drain. */
  readonly rows: number;
  readonly seconds: number;
  readonly chainSeconds: number;
  /** Only those drains: a drain alone takes a few seconds, and can be compared with the next. */
  readonly drainsOnly: boolean;
}

export async function etlBench({ rows, seconds, chainSeconds, drainsOnly }: EtlBenchOptions): Promise<Row[]> {
  const kafka = await startKafka({ flags: brokerFlags });
  try {
    const filled = await fillKafka(kafka, rows);
    const measured: Row[] = [];
    const measure = async (part: Promise<Row>) => {
      const row = await part;
      console.log(markdown([row]).split('\n').at(-1)); // a run takes minutes
      measured.push(row);
    };
    await measure(drainToNothing(kafka, filled));
    await measure(drainToEngine(kafka, filled));
    if (drainsOnly) return measured;
    await measure(freshnessOver(kafkaAs(kafka), { perSecond: 10, seconds: Math.max(seconds, 20), watched: 'all' }));
    await measure(freshnessOver(kafkaAs(kafka), { perSecond: 5_000, seconds, watched: ['click'] }));
    const oneType = { perSecond: 5_000, seconds, types: new Set(['click']), watched: 'all' } as const;
    await measure(freshnessOver(kafkaAs(kafka), oneType));
    await measure(wholeChain(kafkaAs(kafka), chainSeconds));
    return measured;
  } finally {
    await kafka.stopForGood();
  }
}

const startMover = (kafka: TestKafka, { topic }: Filled, ...flags: string[]): Promise<Ugc> =>
  startUgc({
    dataDir: temporaryFolder(),
    flags: [
      '--role=etl',
      `--kafka-brokers=${kafka.brokers.join(',')}`,
      `--kafka-group=bench-${crypto.randomUUID()}`,
      `--topic=${topic}`,
      ...flags,
    ],
  });

async function drainToNothing(kafka: TestKafka, filled: Filled): Promise<Row> {
  const sink = await startNullSink();
  try {
    const before = cpuUs(sink.pid);
    const drain = await drained(kafka, filled, {
      // It has every table, as a server that is not new.
      start: () => startMover(kafka, filled, `--clickhouse-url=${sink.url}`, '--clickhouse-migrate=off'),
      rows: async () => (await sink.stats()).rows,
    });
    const sinkUs = (cpuUs(sink.pid) - before) / filled.events;
    const { rows, bytes, inserts } = await sink.stats();
    await drain.ugc.stop();
    const isWhole = rows === filled.events && bytes === filled.bytes;
    return {
      what: 'Kafka → a ClickHouse that stores nothing',
      ...drain.row,
      note: `${rows} rows and ${bytes} bytes, ${isWhole ? 'as' : 'NOT as'} written; ${inserts} inserts; that sink ${sinkUs.toFixed(2)} core-µs/event; ${drain.note}`,
    };
  } finally {
    await sink.stop();
  }
}

async function drainToEngine(kafka: TestKafka, filled: Filled): Promise<Row> {
  const drain = await drained(kafka, filled, {
    start: () => startMover(kafka, filled),
    rows: ugc => metric(ugc.url, 'ugc_etl_rows_total'),
  });
  const inserts = await metric(drain.ugc.url, 'ugc_etl_insert_seconds_count');
  const counted = await countIds(drain.ugc);
  await drain.ugc.stop();
  return {
    what: 'Kafka → embedded ClickHouse',
    ...drain.row,
    note: `${counted.n} rows, ${counted.ids} ids of ${filled.events}; ${inserts} inserts; ${drain.note}`,
  };
}

interface Draining {
  readonly start: () => Promise<Ugc>;
  /** Arrived so far. */
  readonly rows: (ugc: Ugc) => Promise<number>;
}

/** Resolves once all of it has arrived and is committed. CPU is counted from the start of the process to the last row. */
async function drained(kafka: TestKafka, { events }: Filled, { start, rows }: Draining) {
  const broker = brokerUs(kafka);
  const ugc = await start();
  const atStart = cpuUs(ugc.pid);
  const seen = { rows: 0, atMs: 0 };
  await eventually(
    async () => {
      const arrived = await rows(ugc);
      if (seen.rows === 0 && arrived > 0) Object.assign(seen, { rows: arrived, atMs: performance.now() });
      return arrived >= events;
    },
    { what: `${events} rows`, msMax: 600_000 },
  );
  const us = cpuUs(ugc.pid);
  const seconds = (performance.now() - seen.atMs) / 1_000;
  const row = {
    'events/s': Math.round((events - seen.rows) / seconds),
    'core-µs/event': us / events,
    'broker core-µs/event': (brokerUs(kafka) - broker) / events,
  };
  const note = `of our CPU ${(atStart / 1_000).toFixed(0)} ms until ready; RSS ${residentMb(ugc.pid)} MB`;
  await eventually(async () => (await metric(ugc.url, 'ugc_etl_lag_events')) === 0, { what: 'everything committed' });
  return { ugc, row, note };
}
