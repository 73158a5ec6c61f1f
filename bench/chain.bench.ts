// The whole chain in one process: POST → buffer → embedded ClickHouse, batches of 100, as fast as it takes them. Then
// everything is counted. And the mover alone: a full buffer into ClickHouse.

import { drained, metric } from '../test/support/oracle.ts';
import { startUgc, temporaryFolder } from '../test/support/ugc.ts';
import { lagOf } from './lag.ts';
import { bodiesOf, load } from './load.ts';
import { cpuUs, residentMb } from './process.ts';
import type { Row } from './report.ts';

const size = 100;

export async function chainBench(seconds: number): Promise<Row[]> {
  const ugc = await startUgc({ dataDir: temporaryFolder() });
  const lag = lagOf(ugc.url, 'ugc_buffer_events');
  const before = cpuUs(ugc.pid);
  const result = await load({ url: ugc.url, bodies: bodiesOf(size, 20), connections: 16, seconds });
  const { most, last } = await lag.stop();
  const drainedAfterMs = await timed(() => drained(ugc));
  const us = cpuUs(ugc.pid) - before;
  const [counted] = await ugc.query<{ n: string }>('SELECT count() AS n FROM ugc.events');
  const stored = Number(counted?.n);
  const received = await metric(ugc.url, 'ugc_events_stored_total');
  const rss = residentMb(ugc.pid);
  await ugc.stop();
  return [
    {
      what: `POST of ${size} → row, ${seconds} s`,
      'events/s': Math.round(result.requestsPerS * size),
      'core-µs/event': us / stored,
      'p50 ms': result.p50Ms,
      'p99 ms': result.p99Ms,
      note: `${result.tool} -c16, ${result.bad} bad; buffer at most ${most} events, ${last} at the end, empty ${Math.round(drainedAfterMs)} ms later; ${stored} rows of ${received} acked; RSS ${rss} MB`,
    },
  ];
}

export async function drainBench(seconds: number): Promise<Row[]> {
  const dataDir = temporaryFolder();
  const ingest = await startUgc({ dataDir, flags: ['--role=ingest', '--request-log=false'] });
  await load({ url: ingest.url, bodies: bodiesOf(size, 20), connections: 16, seconds });
  const events = await metric(ingest.url, 'ugc_buffer_events');
  await ingest.stop();
  const etl = await startUgc({ dataDir, flags: ['--role=etl'] });
  const ms = await timed(() => drained(etl));
  const us = cpuUs(etl.pid);
  const rss = residentMb(etl.pid);
  const inserts = await metric(etl.url, 'ugc_etl_insert_seconds_count');
  const [counted] = await etl.query<{ n: string }>('SELECT count() AS n FROM ugc.events');
  await etl.stop();
  return [
    {
      what: 'full buffer → ClickHouse',
      'events/s': Math.round(events / (ms / 1000)),
      'core-µs/event': us / events,
      'p50 ms': '',
      'p99 ms': '',
      note: `${counted?.n} rows of ${events} in ${Math.round(ms)} ms after ready, ${inserts} inserts, RSS ${rss} MB`,
    },
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
