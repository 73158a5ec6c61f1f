// `ugc capacity --measure`: what an event costs on this machine. The binary starts itself in a temporary folder, with the built-in
// settings, is loaded for some seconds as ingest alone and then as everything, and its CPU time is read: all of its threads,
// the embedded ClickHouse in it. Nothing of the instance this machine may run is touched.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runRows } from '../adapters/clickhouse/ask/run-rows.ts';
import { clickhouseClient } from '../adapters/clickhouse/client.ts';
import { PipelineError } from '../errors.ts';
import { bodiesOf } from '../load/bodies.ts';
import type { Coefficients } from '../load/coefficients.ts';
import { people } from '../load/journeys.ts';
import { openLanes } from '../load/lanes.ts';
import { seeded } from '../load/random.ts';
import { run } from '../load/run.ts';
import { runIds } from '../load/run-ids.ts';
import { sleep } from '../process/sleep.ts';
import { say } from './output.ts';

const seconds = 4;
const batch = 100;
const readyMs = 60_000;
const rowsMs = 60_000;
const never = new AbortController().signal;

export async function measured(assumed: Coefficients): Promise<Coefficients> {
  const edge = await withInstance(['--role=ingest'], async instance => ({
    single: await loaded(instance, 1),
    many: await loaded(instance, batch),
  }));
  const all = await withInstance([], instance => loaded(instance, batch));
  // request + event = single; request ÷ batch + event = many
  const requestUs = Math.max(0, (edge.single.us - edge.many.us) / (1 - 1 / batch));
  const eventUs = Math.max(0.1, edge.many.us - requestUs / batch);
  const from = (what: string) => `measured here just now: ${what}`;
  return {
    ...assumed,
    ingestRequestUs: {
      value: round(requestUs),
      from: from(`one event a POST less the event, --role=ingest, ${seconds} s`),
    },
    ingestEventUs: {
      value: round(eventUs),
      from: from(`${batch} events a POST less the request, --role=ingest, ${seconds} s`),
    },
    etlEventUs: {
      value: round(Math.max(0.1, all.us - edge.many.us)),
      from: from('all roles to the last row, less ingest, without a broker'),
    },
    measuredBytes: {
      value: Math.round(all.bytes),
      from: from('size of the events sent; bigger ones are taken to cost in proportion'),
    },
  };
}

const round = (us: number): number => Number(us.toPrecision(3));

interface Instance {
  readonly pid: number;
  readonly url: string;
  /** '' where it has no tables. */
  readonly clickhouseUrl: string;
}

interface Cost {
  /** Core-microseconds of an event. */
  readonly us: number;
  readonly bytes: number;
}

async function loaded(instance: Instance, size: number): Promise<Cost> {
  const startedMs = Date.now();
  const ids = runIds(startedMs, size);
  const { next } = people({ seed: 1, users: 100_000, films: 10_000 });
  const shape = size === 1 ? 'single' : 'batch';
  const bodies = bodiesOf({
    ...{ shape, batch: size, gzip: false, badShare: 0, duplicateShare: 0, clockSkewMs: 0, eventBytes: 0 },
    ...{ ids, random: seeded(1), next, now: Date.now },
  });
  const before = cpuUs(instance.pid);
  const how = { ca: '', key: '', shape, gzip: false, connections: 32, bodies, schedule: null } as const;
  const { totals } = await run({
    open: (books, signal) => openLanes({ ...how, urls: [new URL(instance.url)] }, books, signal),
    ...{ where: instance.url, batch: size, schedule: null, seconds, onSecond: () => {}, signal: never },
  });
  if (totals.accepted === 0)
    throw new PipelineError('internal', 'the instance that was started to be measured took nothing');
  if (instance.clickhouseUrl !== '') await rowsOf(instance, [...bodies.types], ids.prefix, totals.accepted);
  const us = (cpuUs(instance.pid) - before) / totals.accepted;
  say(
    `measured: ${size} a POST, ${instance.clickhouseUrl === '' ? 'ingest' : 'all roles'}, ${us.toFixed(1)} core-µs an event`,
  );
  return { us, bytes: totals.bytes / totals.events };
}

async function rowsOf(
  { clickhouseUrl }: Instance,
  types: readonly string[],
  prefix: string,
  accepted: number,
): Promise<void> {
  const client = clickhouseClient({ url: clickhouseUrl, user: 'default', password: '', timeoutMs: rowsMs });
  try {
    const rows = runRows({ client, database: 'ugc', types, prefix, sinceMs: 0 });
    const from = performance.now();
    while ((await rows.count()) < accepted) {
      if (performance.now() - from > rowsMs)
        throw new PipelineError(
          'sink_unknown',
          `the rows of the measurement are not there after ${rowsMs / 1_000} s; measure on a quieter machine`,
        );
      await sleep(200, never);
    }
  } finally {
    await client.close();
  }
}

/** Without an environment: no setting of the instance that is run otherwise counts. */
async function withInstance<T>(flags: readonly string[], use: (instance: Instance) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'ugc-measure-'));
  const child = Bun.spawn(
    [
      process.execPath,
      ...flags,
      `--data-dir=${folder}`,
      '--host=127.0.0.1',
      '--port=0',
      '--clickhouse-http-port=0',
      '--request-log=false',
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe', env: {} },
  );
  void new Response(child.stderr).text();
  try {
    return await use({ pid: child.pid, ...(await ready(child.stdout)) });
  } finally {
    child.kill('SIGTERM');
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What its log says when it is; the rest of the log is read and thrown away. */
async function ready(stdout: ReadableStream<Uint8Array>): Promise<Omit<Instance, 'pid'>> {
  const found = Promise.withResolvers<Omit<Instance, 'pid'>>();
  const timer = setTimeout(() => found.reject(notStarted('in a minute')), readyMs);
  void (async () => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of stdout) {
      if (text === 'found') continue;
      text += decoder.decode(chunk, { stream: true });
      const line = /^\{.*"message":"ready".*\}$/m.exec(text)?.[0];
      if (line === undefined) continue;
      const said = JSON.parse(line) as { readonly url: string; readonly clickhouse_http?: string };
      found.resolve({ url: said.url, clickhouseUrl: said.clickhouse_http ?? '' });
      text = 'found';
    }
    found.reject(notStarted(text.trim().split('\n').at(-1) ?? ''));
  })();
  return found.promise.finally(() => clearTimeout(timer));
}

const notStarted = (why: string) =>
  new PipelineError('internal', `the instance that was to be measured did not start: ${why}`);

/** User and system, all threads, from /proc (proc(5)); a tick is 1/100 s on Linux. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
