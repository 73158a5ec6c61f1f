// How the process is, out of the registry of metrics, which is the one place that knows: counters become rates over the last
// few seconds, histograms quantiles of the same.

import type { FlowHere } from '../ports/flow-control.ts';
import type { FlowFigures, Stats, Timed, TypeRates } from '../ports/passing.ts';
import type { Health, Metrics } from '../process/telemetry.ts';

export interface StatisticsOptions {
  readonly metrics: Pick<Metrics, 'registry'>;
  /** Brings gauges up to date. */
  readonly scrape: () => Promise<void>;
  readonly health: () => Health;
  readonly flows: () => readonly FlowHere[];
  readonly about: Pick<Stats, 'version' | 'host' | 'pid' | 'roles'>;
  readonly readers: () => number;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

interface Value {
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  readonly value: number;
  readonly metricName?: string;
}

/** Values of a moment, by name of the metric. */
interface Sample {
  readonly atMs: number;
  readonly values: ReadonlyMap<string, readonly Value[]>;
}

const windowMs = 5_000;
/** Asked less often than this it begins anew: a rate over minutes is none of just now. */
const forgottenMs = 30_000;

const names = {
  received: 'ugc_events_received_total',
  rows: 'ugc_etl_rows_total',
  answers: 'ugc_http_request_seconds',
  ack: 'ugc_ack_seconds',
  freshness: 'ugc_freshness_seconds',
  lag: 'ugc_etl_lag_seconds',
  lagEvents: 'ugc_etl_lag_events',
  bufferEvents: 'ugc_buffer_events',
  bufferBytes: 'ugc_buffer_bytes',
  bufferOldest: 'ugc_buffer_oldest_seconds',
  bufferQuarantined: 'ugc_buffer_quarantined_events',
  breaker: 'ugc_breaker_open',
  batches: 'ugc_etl_batches_total',
  insert: 'ugc_etl_insert_seconds',
  halted: 'ugc_etl_halted',
  dead: 'ugc_dead_letters_total',
  archiveLag: 'ugc_archive_lag_seconds',
  archiveLagEvents: 'ugc_archive_lag_events',
  archived: 'ugc_archive_events_total',
  relayed: 'ugc_content_relayed_total',
  outbox: 'ugc_content_outbox_events',
  outboxOldest: 'ugc_content_outbox_oldest_seconds',
  drained: 'ugc_buffer_drained_total',
  streamDropped: 'ugc_stream_dropped_total',
} as const;

/** Answers to whoever sends or reads events; not to who looks after the process, or on. */
const ofClients = ({ labels }: Value): boolean =>
  String(labels.route).startsWith('/v1/') &&
  labels.route !== '/v1/stream' &&
  !String(labels.route).startsWith('/v1/console/');

/** Null when it is asked for the first time, or after long: a rate is of two looks. */
export function statisticsOf(options: StatisticsOptions): () => Promise<Stats | null> {
  const { metrics, scrape, health, flows, about, readers, now = () => performance.now() } = options;
  const startedAtMs = now();
  let samples: Sample[] = [];

  async function sample(): Promise<Sample> {
    const values = new Map<string, readonly Value[]>();
    for (const name of Object.values(names)) {
      const read = await metrics.registry.getSingleMetric(name)?.get();
      // What is read of a counter goes on counting.
      const all = (read?.values ?? []) as readonly Value[];
      values.set(
        name,
        all.map(one => ({ ...one })),
      );
    }
    return { atMs: now(), values };
  }

  return async () => {
    await scrape().catch(() => {}); // the log tells of it, and what is known is told all the same
    const current = await sample();
    const last = samples.at(-1);
    if (last !== undefined && current.atMs - last.atMs > forgottenMs) samples = [];
    while (samples.length > 1 && current.atMs - samples[1]!.atMs >= windowMs) samples.shift();
    const before = samples[0];
    samples.push(current);
    if (before === undefined) return null;
    const { ready, detail } = health();
    return {
      at: new Date().toISOString(),
      ...about,
      up_seconds: Math.round((now() - startedAtMs) / 1_000),
      ready,
      problems: detail,
      ...between(before, current),
      flows: flows().map(flow => figuresOf(flow, before, current)),
      stream: { readers: readers(), dropped: sum(current, names.streamDropped) ?? 0 },
    };
  };
}

type Measured = Omit<
  Stats,
  'at' | 'version' | 'host' | 'pid' | 'roles' | 'up_seconds' | 'ready' | 'problems' | 'flows' | 'stream'
>;

function between(before: Sample, current: Sample): Measured {
  const seconds = (current.atMs - before.atMs) / 1_000;
  const rate = rateBetween(before, current);
  const quantiles = (name: string, is?: (value: Value) => boolean) => quantilesOf(before, current, name, is);
  const value = (name: string): number => sum(current, name) ?? 0;
  const { rate: _, ...ack } = timed(quantiles(names.ack), 0);
  const { isInserted, isOther } = {
    isInserted: is('outcome', 'inserted'),
    isOther: (one: Value) => one.labels.outcome !== 'inserted',
  };
  return {
    window_seconds: rounded(seconds),
    events: ratesOf(rate, () => true),
    types: Object.fromEntries(typesIn(current).map(type => [type, ratesOf(rate, ofType(type))])),
    answers: timed(
      quantiles(names.answers, ofClients),
      rate(names.answers, one => ofClients(one) && isCount(one)),
    ),
    ack,
    lag: { seconds: most(current, names.lag), events: sum(current, names.lagEvents) },
    freshness_p99_ms: quantiles(names.freshness)(0.99),
    buffer: {
      events: value(names.bufferEvents),
      bytes: value(names.bufferBytes),
      oldest_seconds: rounded(value(names.bufferOldest)),
      quarantined: value(names.bufferQuarantined),
    },
    breaker_open: value(names.breaker) > 0,
    inserts: {
      rate: rate(names.batches, isInserted),
      failed: rate(names.batches, isOther),
      p99_ms: quantiles(names.insert)(0.99),
      halted: (current.values.get(names.halted) ?? [])
        .filter(one => one.value > 0)
        .map(one => String(one.labels.table)),
    },
    dead_letters: { total: value(names.dead), rate: rate(names.dead) },
    archive: { lag_seconds: most(current, names.archiveLag), lag_events: sum(current, names.archiveLagEvents) },
  };
}

function rateBetween(before: Sample, current: Sample): RateOf {
  const seconds = (current.atMs - before.atMs) / 1_000;
  return (name, is) =>
    seconds <= 0 ? 0 : rounded(Math.max(0, (sum(current, name, is) ?? 0) - (sum(before, name, is) ?? 0)) / seconds);
}

/** What has moved, what waits, and for how long, by flow. */
const measures: Readonly<Record<string, readonly [moved: string, waiting: string, ageSeconds: string]>> = {
  tables: [names.rows, names.lagEvents, names.lag],
  archive: [names.archived, names.archiveLagEvents, names.archiveLag],
  content: [names.relayed, names.outbox, names.outboxOldest],
  drain: [names.drained, names.bufferEvents, names.bufferOldest],
};

function figuresOf(flow: FlowHere, before: Sample, current: Sample): FlowFigures {
  const [name = '', type] = flow.flow.split(':');
  const [moved, waiting, age] = measures[name] ?? ['', '', ''];
  const ofTopic = (value: Value): boolean => flow.topic === null || value.labels.topic === flow.topic;
  const ofIt = (value: Value): boolean => type === undefined || ofType(type)(value);
  return {
    flow: flow.flow,
    state: flow.state,
    drained: flow.isDrained,
    rate: rateBetween(before, current)(moved, ofIt),
    lag_events: sum(current, waiting, ofTopic),
    lag_seconds: most(current, age, ofTopic),
    since: flow.at,
    by: flow.by,
    why: flow.why,
  };
}

type RateOf = (name: string, is?: (value: Value) => boolean) => number;

const ratesOf = (rate: RateOf, ofIt: (value: Value) => boolean): TypeRates => {
  const received = (outcome: string): number =>
    rate(names.received, value => value.labels.outcome === outcome && ofIt(value));
  return {
    in: received('accepted'),
    rejected: received('rejected'),
    failed: received('failed'),
    dropped: received('dropped'),
    out: rate(names.rows, ofIt),
  };
};

const is =
  (label: string, word: string) =>
  (value: Value): boolean =>
    value.labels[label] === word;
const ofType =
  (type: string) =>
  (value: Value): boolean =>
    (value.labels.event_type ?? value.labels.table) === type;

const typesIn = ({ values }: Sample): readonly string[] =>
  [
    ...new Set(
      [names.received, names.rows]
        .flatMap(name => values.get(name) ?? [])
        .map(({ labels }) => String(labels.event_type ?? labels.table)),
    ),
  ].toSorted();

/** Null = there is no sample. */
function sum({ values }: Sample, name: string, is: (value: Value) => boolean = () => true): number | null {
  const found = (values.get(name) ?? []).filter(is);
  return found.length === 0 ? null : found.reduce((total, { value }) => total + value, 0);
}

function most({ values }: Sample, name: string, is: (value: Value) => boolean = () => true): number | null {
  const found = (values.get(name) ?? []).filter(is);
  return found.length === 0 ? null : rounded(Math.max(...found.map(({ value }) => value)));
}

const isCount = ({ metricName }: Value): boolean => metricName?.endsWith('_count') === true;

/**
 * Milliseconds below which a share of what was observed lies, drawn straight within a bucket as Prometheus does it
 * (histogram_quantile); null = nothing was observed.
 */
function quantilesOf(before: Sample, current: Sample, name: string, is: (value: Value) => boolean = () => true) {
  const upTo = (sample: Sample): Map<number, number> => {
    const counts = new Map<number, number>();
    for (const value of sample.values.get(name) ?? []) {
      if (value.metricName?.endsWith('_bucket') !== true || !is(value)) continue;
      const bound = value.labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(value.labels.le);
      counts.set(bound, (counts.get(bound) ?? 0) + value.value);
    }
    return counts;
  };
  const then = upTo(before);
  const buckets = [...upTo(current)]
    .map(([bound, count]) => ({ bound, count: count - (then.get(bound) ?? 0) }))
    .sort((a, b) => a.bound - b.bound);
  const total = buckets.at(-1)?.count ?? 0;
  return (share: number): number | null => {
    if (total <= 0) return null;
    const at = buckets.findIndex(({ count }) => count >= share * total);
    const { bound, count } = buckets[at]!;
    const below = buckets[at - 1] ?? { bound: 0, count: 0 };
    if (bound === Number.POSITIVE_INFINITY) return rounded(below.bound * 1_000);
    const within = count === below.count ? 1 : (share * total - below.count) / (count - below.count);
    return rounded((below.bound + (bound - below.bound) * within) * 1_000);
  };
}

const timed = (quantile: (share: number) => number | null, rate: number): Timed => ({
  rate,
  p50_ms: quantile(0.5),
  p99_ms: quantile(0.99),
});

const rounded = (value: number): number => Math.round(value * 100) / 100;
