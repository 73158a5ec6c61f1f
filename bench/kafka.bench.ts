// Events answered after Kafka's ack, with a real broker on the same cores: as fast as it goes, one event and a hundred a
// POST, and at a fixed rate. Then the same bodies through whatever stands beside us (UGC_BENCH_PEERS).

import { startKafka, type TestKafka } from '../test/support/kafka.ts';
import { startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { storedIn } from './kafka-stored.ts';
import { bodiesOf, load } from './load.ts';
import { openLoad, summaryOf } from './open-load.ts';
import { peersBench } from './peers.bench.ts';
import { cpuUs, residentMb } from './process.ts';
import type { Row } from './report.ts';

export const startEdge = (kafka: TestKafka, ...flags: string[]): Promise<Ugc> =>
  startUgc({
    dataDir: temporaryFolder(),
    flags: ['--role=ingest', `--kafka-brokers=${kafka.brokers.join(',')}`, ...flags],
  });

/** Of the broker's virtual machine: its own defaults but for the heap, not those that start a test quickly. */
export const brokerFlags = ['-Xms512m', '-Xmx768m'] as const;

export const brokerUs = (kafka: TestKafka): number => (kafka.pid() === null ? Number.NaN : cpuUs(kafka.pid()!));

export async function kafkaBench(seconds: number): Promise<Row[]> {
  const kafka = await startKafka({ flags: brokerFlags });
  try {
    // A new broker makes its topics and compiles what it runs; neither is measured.
    await fastest(kafka, { size: 1, seconds: 5, log: false });
    return [
      await fastest(kafka, { size: 1, seconds, log: true }),
      await fastest(kafka, { size: 1, seconds, log: false }),
      await fastest(kafka, { size: 100, seconds, log: true }),
      await atRate(kafka, 5_000, seconds),
      ...(await peersBench(kafka, seconds)),
    ];
  } finally {
    await kafka.stopForGood();
  }
}

interface Fastest {
  readonly size: number;
  readonly seconds: number;
  /** A log line for each request, as is the default. */
  readonly log: boolean;
}

async function fastest(kafka: TestKafka, { size, seconds, log }: Fastest): Promise<Row> {
  const ugc = await startEdge(kafka, `--request-log=${log}`);
  const bodies = bodiesOf(size, size === 1 ? 500 : 20);
  await load({ url: ugc.url, bodies, connections: 64, seconds: 2 });
  const before = { us: cpuUs(ugc.pid), brokerUs: brokerUs(kafka), ...(await storedIn(ugc, kafka)) };
  const result = await load({ url: ugc.url, bodies, connections: 64, seconds });
  const us = cpuUs(ugc.pid) - before.us;
  const ofBrokerUs = brokerUs(kafka) - before.brokerUs;
  const after = await storedIn(ugc, kafka);
  const events = result.requests * size;
  const onDisk = after.disk - before.disk;
  const row = {
    what: `ugc, POST ${size === 1 ? 'one event' : `${size} events`}${log ? '' : ', no request log'}`,
    'events/s': Math.round(result.requestsPerS * size),
    'core-µs/event': us / events,
    'broker core-µs/event': ofBrokerUs / events,
    'p50 ms': result.p50Ms,
    'p99 ms': result.p99Ms,
    note: `${result.tool} -c64, ${result.bad} bad; ${after.inKafka - before.inKafka - events} more in Kafka than answered, ${onDisk} by way of the disk; RSS ${residentMb(ugc.pid)} MB`,
  };
  await ugc.stop();
  return row;
}

async function atRate(kafka: TestKafka, perSecond: number, seconds: number): Promise<Row> {
  const ugc = await startEdge(kafka);
  const bodies = bodiesOf(1, 500);
  await (await warm(ugc, bodies, perSecond)).stop();
  const before = { us: cpuUs(ugc.pid), brokerUs: brokerUs(kafka) };
  const loading = await openLoad({ url: ugc.url, bodies, perSecond });
  await Bun.sleep(seconds * 1_000);
  const samples = await loading.stop();
  const us = cpuUs(ugc.pid) - before.us;
  const { bad, ...times } = summaryOf(samples);
  const onDisk = samples.filter(({ stored }) => stored === 'disk').length;
  const row = {
    what: `ugc, one event a POST, ${perSecond.toLocaleString('en')}/s`,
    'events/s': Math.round(samples.length / seconds),
    'core-µs/event': us / samples.length,
    'broker core-µs/event': (brokerUs(kafka) - before.brokerUs) / samples.length,
    ...times,
    note: `at a fixed rate, timed from when each was due; ${bad} bad, ${onDisk} answered from the disk`,
  };
  await ugc.stop();
  return row;
}

async function warm(ugc: Ugc, bodies: readonly string[], perSecond: number) {
  const loading = await openLoad({ url: ugc.url, bodies, perSecond });
  await Bun.sleep(2_000);
  return loading;
}
