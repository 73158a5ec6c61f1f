// An edge, a broker and a mover with the embedded engine, each a process of its own on the same cores: how soon an event
// can be read, and how much of it goes through in a while.

import { metric } from '../test/support/oracle.ts';
import { eventually, startUgc, temporaryFolder, type Ugc } from '../test/support/ugc.ts';
import { countIds } from './ids.ts';
import { lagOf } from './lag.ts';
import { bodiesOf, filmTypes, load } from './load.ts';
import { latenciesOf, openLoad } from './open-load.ts';
import { cpuUs, percentile, residentMb } from './process.ts';
import type { Row } from './report.ts';
import type { Broker } from './transports/broker.ts';
import { firstUnseen, freshnessOf, watch } from './watch.ts';

interface Chain {
  readonly edge: Ugc;
  readonly mover: Ugc;
  stop(): Promise<void>;
}

/** Topics and group of this run: the next chain finds them there and reads on behind the last one. */
const names = `bench-${crypto.randomUUID()}`;

async function startChain(broker: Broker): Promise<Chain> {
  const env = broker.env(`${names}.{event_type}`, names);
  const start = (role: string): Promise<Ugc> =>
    startUgc({ dataDir: temporaryFolder(), env, flags: [`--role=${role}`, '--request-log=false'] });
  const edge = await start('ingest');
  const mover = await start('etl');
  return {
    edge,
    mover,
    async stop() {
      await edge.stop();
      await mover.stop();
    },
  };
}

/** How much the parts have used so far, core-µs. */
const usOf = ({ edge, mover }: Chain, broker: Broker) => ({
  edge: cpuUs(edge.pid),
  mover: cpuUs(mover.pid),
  broker: broker.us(),
});

interface FreshnessOptions {
  readonly perSecond: number;
  readonly seconds: number;
  /** Types of the events sent. */
  readonly types?: ReadonlySet<string>;
  /** Types whose exact tables are watched: asking for every event would be a load of its own. */
  readonly watched: readonly string[] | 'all';
}

/** One event a POST, open loop; each timed from when it was due to the start of the first query of its exact table that has it. */
export async function freshnessOver(broker: Broker, options: FreshnessOptions): Promise<Row> {
  const { perSecond, seconds, types: sentTypes = filmTypes, watched } = options;
  const chain = await startChain(broker);
  await warm(chain, perSecond);
  const types = watched === 'all' ? [...sentTypes] : watched;
  const waiting = new Map<number, string>();
  const bodies = bodiesOf(1, perSecond * (seconds + 1), sentTypes).map((body, at) => {
    const id = Bun.randomUUIDv7();
    if (types.some(type => body.includes(`"event_type":"${type}"`))) waiting.set(at, id);
    return `{"event_id":"${id}",${body.slice(1)}`;
  });
  const before = { us: usOf(chain, broker), inserts: await inserts(chain) };
  const startedAtMs = Date.now();
  const coming = [...waiting].map(([at, id]) => ({ id, sinceMs: startedAtMs + (at * 1_000) / perSecond }));
  const seen = watch(chain.mover, { types, sinceMs: firstUnseen(coming) });
  const loading = await openLoad({ url: chain.edge.url, bodies, perSecond });
  await Bun.sleep(seconds * 1_000);
  const samples = (await loading.stop()).toSorted((a, b) => a.dueAtMs - b.dueAtMs);
  const perInsertSecond = ((await inserts(chain)) - before.inserts) / seconds;
  const us = usOf(chain, broker);
  // Bodies are sent in their order, so the one that was due as the n-th is the n-th.
  const sent = samples.flatMap(({ dueAtMs, status }, at) => {
    const id = waiting.get(at);
    return id !== undefined && status === 200 ? [{ id, dueAtMs }] : [];
  });
  await eventually(() => sent.every(({ id }) => seen.byId.has(id)), { what: 'every event readable' });
  await seen.stop();
  const fresh = freshnessOf(sent, seen);
  const acksMs = latenciesOf(samples);
  await chain.stop();
  const share = (part: 'edge' | 'mover' | 'broker') =>
    `${part} ${((us[part] - before.us[part]) / seconds / 1e4).toFixed(0)} %`;
  return {
    what: `POST → ${broker.title} → queryable at ${perSecond.toLocaleString('en')}/s, ${sentTypes.size} ${sentTypes.size === 1 ? 'table' : 'tables'}`,
    ...fresh.columns,
    'ack p50 ms': percentile(acksMs, 0.5),
    'ack p99 ms': percentile(acksMs, 0.99),
    'inserts/s': perInsertSecond,
    note: `${sent.length} events watched of ${samples.length}, ${samples.filter(({ status }) => status !== 200).length} bad; ${fresh.note}; of a core ${share('edge')}, ${share('mover')} with the watching, ${share('broker')}`,
  };
}

const inserts = ({ mover }: Chain): Promise<number> => metric(mover.url, 'ugc_etl_insert_seconds_count');

/** New topics are found by the mover a little later, and everything is slow the first time. */
async function warm({ edge, mover }: Chain, perSecond: number): Promise<void> {
  const bodies = bodiesOf(1, 500);
  const loading = await openLoad({ url: edge.url, bodies, perSecond: Math.min(perSecond, 1_000) });
  await eventually(async () => (await metric(mover.url, 'ugc_etl_rows_total')) >= 2 * filmTypes.size);
  await Bun.sleep(2_000);
  await loading.stop();
  await eventually(() => level(edge, mover), { what: 'a mover that has caught up' });
}

/** Rejects with the numbers while something is still on its way. */
async function level(edge: Ugc, mover: Ugc): Promise<true> {
  const stored = await metric(edge.url, 'ugc_events_stored_total');
  const rows = await metric(mover.url, 'ugc_etl_rows_total');
  const lag = await metric(mover.url, 'ugc_etl_lag_events');
  const buffered = await metric(edge.url, 'ugc_buffer_events');
  if (rows >= stored && lag === 0 && buffered === 0) return true;
  throw new Error(`${stored} stored, ${buffered} of them on disk, ${lag} in the broker, ${rows} rows`);
}

const chainSize = 100;

/** Batches of 100 as fast as the edge takes them, for so long; then everything is counted. */
export async function wholeChain(broker: Broker, seconds: number): Promise<Row> {
  const chain = await startChain(broker);
  const { edge, mover } = chain;
  const bodies = bodiesOf(chainSize, 20);
  await warm(chain, 1_000);
  const lag = lagOf(mover.url, 'ugc_etl_lag_events');
  const us = usOf(chain, broker);
  const storedBefore = await metric(edge.url, 'ugc_events_stored_total');
  const result = await load({ url: edge.url, bodies, connections: 16, seconds });
  const { most, last } = await lag.stop();
  const endedAtMs = performance.now();
  await eventually(() => level(edge, mover), { what: 'everything in the tables', msMax: 600_000 });
  const afterMs = performance.now() - endedAtMs;
  const after = usOf(chain, broker);
  const acked = await metric(edge.url, 'ugc_events_stored_total');
  const counted = await countIds(mover);
  const disk = await metric(edge.url, 'ugc_buffer_drained_total');
  const rss = `RSS ${residentMb(edge.pid)} and ${residentMb(mover.pid)} MB`;
  await chain.stop();
  const events = acked - storedBefore;
  const each = (part: 'edge' | 'mover' | 'broker') => (after[part] - us[part]) / events;
  return {
    what: `POST of ${chainSize} → ${broker.title} → row, ${seconds} s`,
    'events/s': Math.round(events / (seconds + afterMs / 1_000)),
    'core-µs/event': each('edge') + each('mover'),
    'broker core-µs/event': each('broker'),
    'p50 ms': result.p50Ms,
    'p99 ms': result.p99Ms,
    note: `events/s from the first POST to the last row; answered ${Math.round(result.requestsPerS * chainSize)}/s (${result.tool} -c16, ${result.bad} bad); edge ${each('edge').toFixed(1)}, mover ${each('mover').toFixed(1)} core-µs; lag at most ${most} events, ${last} at the end, none ${Math.round(afterMs)} ms later; ${counted.n} rows, ${counted.ids} ids of ${acked} acked; ${disk} by way of the disk; ${rss}`,
  };
}
