// What the process tells about itself: log lines (ECS JSON on stdout, words where that is a terminal), metrics (the complete list of names), readiness.

import { isatty } from 'node:tty';
import ecsFormat from '@elastic/ecs-pino-format';
import pino from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { countsOf } from './counts.ts';
import { readableInto } from './terminal-log.ts';

export type Logger = pino.Logger;

export interface RequestLine {
  readonly method: string;
  /** The route's pattern, never the client's path. */
  readonly route: string;
  readonly status: number;
  readonly bytes: number;
  readonly durationMs: number;
  readonly address: string;
}

export interface Logs {
  readonly logger: Logger;
  /** One line for a request; written by hand into the same stream, as it is the only line on a hot path. */
  request(line: RequestLine): void;
  /** Resolves when everything is written, or after a moment when stdout takes nothing. Nothing is logged afterwards. */
  close(): Promise<void>;
}

/** Log text held in memory while stdout does not take it; beyond it lines are dropped rather than the process. */
const heldBytesMax = 16 * 1024 * 1024;
/** Request lines leave together: when there are so many characters of them, or after so long. */
const togetherLength = 65_536;
const togetherMs = 100;
const closeMsMax = 300;

export interface LoggedRequests {
  /** Of those that were answered as they should be, and soon; 0 to 1. */
  readonly share: number;
  /** From then on a request has a line whatever its share, as one that failed has; null = none has one. */
  readonly slowMs: number | null;
}

export interface LogsOptions {
  readonly level: string;
  readonly requests: LoggedRequests;
}

export function openLogs({ level, requests: { share, slowMs } }: LogsOptions): Logs {
  const stdout = pino.destination({ fd: 1, sync: false, maxLength: heldBytesMax });
  // A full disk under stdout, or no reader behind it, is no reason to stop taking events: lines wait, then are dropped.
  stdout.on('error', () => {});
  const stream = isatty(1) ? readableInto(stdout) : stdout;
  // Of the line rather than of the logger: one that names another set would have the field twice, which no reader has to take.
  const mixin = () => ({ 'event.dataset': 'ugc' });
  const logger = pino({ ...ecsFormat({ serviceName: 'ugc', eventDataset: '' }), mixin, level }, stream);
  const slowFromMs = slowMs ?? Number.POSITIVE_INFINITY;
  const writes = slowMs !== null && logger.isLevelEnabled('info');
  const textOf = requestLines();
  let lines = '';
  const leave = (): void => {
    if (lines === '') return;
    stream.write(lines);
    lines = '';
  };
  const leaving = setInterval(leave, togetherMs);
  leaving.unref();
  return {
    logger,
    request: line => {
      if (!writes) return;
      if (share < 1 && line.status < 500 && line.durationMs < slowFromMs && Math.random() >= share) return;
      lines += textOf(line);
      if (lines.length > togetherLength) leave();
    },
    close: () => {
      clearInterval(leaving);
      leave();
      return new Promise<void>(resolve => {
        stdout.once('close', () => resolve());
        stream.end();
        setTimeout(resolve, closeMsMax); // it ends with an fsync, which can take seconds and which no reader needs
      }).then(() => stdout.destroy()); // or its hook at exit would try for ever to write to a full disk
    },
  };
}

/**
 * The text of a request line. What most lines have in common is made once: the millisecond, and the kind of request.
 */
function requestLines(): (line: RequestLine) => string {
  let ms = Number.NaN;
  let timestamp = '';
  let kind: Pick<RequestLine, 'method' | 'route' | 'status'> = { method: '', route: '', status: 0 };
  let kindText = '';
  return line => {
    const { method, route, status, bytes, durationMs, address } = line;
    const now = Date.now();
    if (now !== ms) {
      ms = now;
      timestamp = new Date(now).toISOString();
    }
    if (kind.method !== method || kind.route !== route || kind.status !== status) {
      kind = line;
      kindText = `","log.level":"info","message":"${method} ${route} ${status}","ecs.version":"8.10.0","service.name":"ugc","event.dataset":"ugc.request","http.request.method":"${method}","http.route":"${route}","http.response.status_code":${status},"http.request.body.bytes":`;
    }
    const ns = Math.round(durationMs * 1e6);
    return `{"@timestamp":"${timestamp}${kindText}${bytes},"event.duration":${ns},"client.address":"${address}"}\n`;
  };
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Of what waits out an outage or a pause: a quantile is never more than the last of these. */
const longSeconds = [...seconds, 30, 60, 300, 900, 3_600, 14_400, 86_400];

export type Metrics = ReturnType<typeof openMetrics>;

/** Every metric there is. Label values come from the catalogue and from closed sets, never from a client. */
export function openMetrics() {
  const registry = new Registry();
  const registers = [registry];
  // Every 10 ms, as usual, would wake a process at rest a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  // These make the engine walk its whole heap, 15 to 30 ms in which no client is answered, for spaces Bun does not have.
  for (const part of ['total', 'used', 'available'])
    registry.removeSingleMetric(`nodejs_heap_space_size_${part}_bytes`);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name: `ugc_${name}`, help, labelNames, registers });
  const counts = <L extends string>(name: string, help: string, labelNames: readonly [L] | readonly [L, L]) =>
    countsOf({ name: `ugc_${name}`, help, registers }, labelNames);
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name: `ugc_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[] = [], buckets = seconds) =>
    new Histogram({ name: `ugc_${name}`, help, labelNames, buckets, registers });
  return {
    registry,
    eventsReceived: counts('events_received_total', 'Events judged at the edge', ['event_type', 'outcome']),
    eventsStored: counts('events_stored_total', 'Events made durable', ['event_type', 'stored']),
    eventsRejected: counts('events_rejected_total', 'Events not taken', ['reason']),
    rejectionsLost: counter('rejections_lost_total', 'Rejections whose count could not be written'),
    httpRequest: histogram('http_request_seconds', 'Time to answer a request', ['route', 'status']),
    ruled: counts('ruled_total', 'Events that a rule has dropped or diverted', ['rule']),
    doorTokens: counts('door_tokens_total', 'Requests with a token, by what was found of it', ['outcome']),
    rateLimited: counts('rate_limited_total', 'Requests refused as their sender sends too much', ['limit']),
    rateLimitForgotten: counter('rate_limit_forgotten_total', 'Clients whose count had to be given up for others'),
    httpConnections: unknown(gauge('http_connections', 'Open connections, of both ports; no sample = not known')),
    httpConnectionsMax: unknown(gauge('http_connections_max', 'As many as there may be; no sample = no bound')),
    tlsExpires: gauge(
      'tls_certificate_expiration_timestamp_seconds',
      'When the certificate of the front, or one that vouches for it, expires; no sample = no TLS',
      ['serial'],
    ),
    streamReaders: gauge('stream_readers', 'Who reads GET /v1/stream just now'),
    streamDropped: counter(
      'stream_dropped_total',
      'Events not shown on GET /v1/stream that a reader wanted; none is lost',
    ),
    otlpDropped: counter('otlp_dropped_total', 'Spans that were made and that no collector has'),
    ack: histogram('ack_seconds', 'Time until events were durable', ['stored']),
    bufferEvents: gauge('buffer_events', 'Events in the disk buffer'),
    bufferBytes: gauge('buffer_bytes', 'Bytes of the disk buffer in use'),
    bufferOldest: gauge('buffer_oldest_seconds', 'Age of the oldest event in the disk buffer'),
    bufferQuarantined: gauge('buffer_quarantined_events', 'Events set aside: damaged, or refused by the broker'),
    bufferDrained: counter('buffer_drained_total', 'Events that left the buffer for the broker', ['outcome']),
    breakerOpen: gauge('breaker_open', '1 while events go to the disk buffer because the broker does not take them'),
    ...etlMetrics(counter, gauge),
    etlInsert: histogram('etl_insert_seconds', 'Time of one insert', [], longSeconds),
    freshness: histogram(
      'freshness_seconds',
      'From received to queryable, oldest event of each insert',
      [],
      longSeconds,
    ),
    aggregateAge: gauge('aggregate_age_seconds', 'Since an aggregate was last computed, up to 30 s too many', [
      'aggregate',
    ]),
    aggregateRefresh: gauge('aggregate_refresh_seconds', 'What that computation took', ['aggregate']),
    aggregateFailing: gauge('aggregate_failing', '1 while the last computation of an aggregate failed', ['aggregate']),
    ...contentMetrics(counter, gauge),
    ...archiveMetrics(counter, gauge),
    flowPaused: gauge(
      'flow_paused',
      '1 while a flow is paused, as an operator wished; of those that this process moves',
      ['flow'],
    ),
    deadLetters: counter('dead_letters_total', 'Records that can never become rows', ['reason']),
  };
}

type Made<M> = <L extends string>(name: string, help: string, labelNames?: readonly L[]) => M;

/** Without a sample until it is set: a gauge begins with 0, which would be a statement. */
function unknown<G extends Gauge>(gauge: G): G {
  gauge.remove();
  return gauge;
}

/** What flows from the log into the tables. */
const etlMetrics = (counter: Made<Counter>, gauge: Made<Gauge>) => ({
  etlRows: counter('etl_rows_total', 'Rows inserted', ['table']),
  etlBatches: counter('etl_batches_total', 'Inserts', ['outcome']),
  etlHalted: gauge('etl_halted', 'Tables that wait for repair', ['table']),
  etlWaiting: gauge('etl_waiting', 'Topics that wait for a newer ugc to read them', ['topic']),
  etlLag: gauge('etl_lag_seconds', 'Age of the oldest event polled and not yet inserted', ['topic']),
  etlLagEvents: gauge('etl_lag_events', 'Events in the log and not yet rows; no sample = not known', ['topic']),
  etlRetentionLeft: gauge(
    'etl_retention_left_seconds',
    'Until the log deletes what is not a row yet; no sample = it keeps it, or is not known',
    ['topic'],
  ),
  etlLogReplaced: counter(
    'etl_log_replaced_total',
    'Times a topic was found deleted and made again, and was read from the start of what it is now',
    ['topic'],
  ),
});

/** What flows between the content store and the log. */
const contentMetrics = (counter: Made<Counter>, gauge: Made<Gauge>) => ({
  contentOutbox: gauge('content_outbox_events', 'Events of the content store that wait to be published'),
  contentOutboxOldest: gauge('content_outbox_oldest_seconds', 'Age of the oldest event that waits to be published'),
  contentRelayed: counter('content_relayed_total', 'Events of the content store that went into the log', [
    'event_type',
  ]),
  contentRelayLeader: gauge('content_relay_leader', '1 in the one process that publishes them'),
  contentHistory: counter('content_history_records_total', 'Records read for the viewing history', ['outcome']),
  contentHistoryLag: gauge(
    'content_history_lag_events',
    'Events in the log and not yet in the viewing history; no sample = not known',
    ['topic'],
  ),
});

/** What goes into the cold archive. */
const archiveMetrics = (counter: Made<Counter>, gauge: Made<Gauge>) => ({
  archiveEvents: counter('archive_events_total', 'Events in the manifest of the cold archive, by this process', [
    'event_type',
  ]),
  archiveBytes: counter('archive_bytes_total', 'Bytes of cold files', ['event_type', 'format']),
  archiveFiles: counter('archive_files_total', 'Cold files', ['event_type', 'format']),
  archiveGathered: gauge('archive_gathered_events', 'Events read for a cold file and not yet in the manifest'),
  archiveGatheredBytes: gauge('archive_gathered_bytes', 'Memory they take'),
  archiveGatheredAge: gauge('archive_gathered_seconds', 'Since the first of them was read'),
  archiveLag: gauge('archive_lag_seconds', 'Age of the oldest event read and not yet in the manifest', ['topic']),
  archiveVerifiedAt: unknown(
    gauge(
      'archive_verified_timestamp_seconds',
      'When ugc archive verify last looked at all of it; no sample = never, or not known',
    ),
  ),
  archiveVerifiedDay: unknown(
    gauge(
      'archive_verified_day_timestamp_seconds',
      'Beginning of the last day up to which it found every day of every type whole; no sample = none',
    ),
  ),
  archiveVerifiedWhole: unknown(
    gauge('archive_verified_whole', '1 when it found the archive whole; no sample = never'),
  ),
  archiveRetentionLeft: gauge(
    'archive_retention_left_seconds',
    'Until the log deletes what is not archived yet; no sample = it keeps it, or is not known',
    ['topic'],
  ),
  archiveLagEvents: gauge('archive_lag_events', 'Events in the log and not yet archived; no sample = not known', [
    'topic',
  ]),
});

/** One part's say on whether events can be stored, and in words what is not well. */
export interface Health {
  readonly ready: boolean;
  readonly detail: Readonly<Record<string, string>>;
}

/** What libraries and the runtime warn of is a line like any other; by itself the runtime writes it raw to stderr. */
export function logWarnings(logger: Logger): void {
  process.removeAllListeners('warning'); // the runtime's own
  process.on('warning', warning => logger.warn({ err: warning }, 'a warning of the runtime or of a library'));
}
