// Kafka, wired: how this process reaches it, its topics, and for the edge the log that has the disk buffer behind it and
// the drain that brings back what went there.
//
// Nothing here waits for Kafka longer than a moment: events are taken from the start, and lie on the disk until it comes.

import { readFileSync } from 'node:fs';
import { hintOf } from '../../schemas/nearest.ts';
import { ensureTopics } from '../adapters/kafka/connect/ensure-topics.ts';
import type { KafkaLogOptions, TlsOptions } from '../adapters/kafka/connect/options.ts';
import { watchLeftOver } from '../adapters/kafka/read/left-over.ts';
import { kafkaSource } from '../adapters/kafka/read/source.ts';
import { kafkaLog } from '../adapters/kafka/write/log.ts';
import type { Topics } from '../catalogue/topics.ts';
import type { Config } from '../config/config.ts';
import { type From, nameOf } from '../config/from.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { breakerOf } from '../log/breaker.ts';
import { copiesOf } from '../log/copies.ts';
import { diskLog } from '../log/disk-log.ts';
import { type Drain, startDrain } from '../log/drain.ts';
import { hedge } from '../log/hedge.ts';
import { paceOf } from '../log/pace.ts';
import type { DiskBuffer, Log, Source } from '../ports/ports.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger, Metrics } from '../process/telemetry.ts';

export interface KafkaEdgeOptions {
  readonly config: Config;
  readonly buffer: DiskBuffer;
  readonly topics: readonly string[];
  /** Where events of a type go just now; null = nobody here knows the type. */
  readonly topicOf: (type: string) => string | null;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export interface KafkaEdge {
  /** Kafka or the disk. */
  readonly log: Log;
  /** Whether Kafka takes events just now. */
  readonly isUp: boolean;
  /** What does not work just now, in words. Events are durable all the same. */
  problems(): Readonly<Record<string, string>>;
  /** Topics that are written to from now on. */
  want(topics: readonly string[]): void;
  /** Resolves, with the reason, once the buffer can never be drained again. */
  readonly broken: Promise<string>;
  close(): Promise<void>;
}

/** Rejects with `config_invalid` when a PEM file cannot be read. Kafka being down is no failure. */
export async function openKafkaEdge(edge: KafkaEdgeOptions): Promise<KafkaEdge> {
  const { config, buffer, topics, topicOf, logger, metrics } = edge;
  const options = kafkaOptionsOf(config);
  const kafka = kafkaLog(options);
  const copies = copiesOf();
  const pace = paceOf();
  const breaker = breakerOf({
    budgetMs: config.ackBudgetMs,
    onChange: reason => {
      metrics.breakerOpen.set(reason === null ? 0 : 1);
      if (reason === null) logger.info('Kafka answers again: events go there');
      else logger.warn({ reason }, 'Kafka does not take events: they go to the disk buffer until it does');
    },
  });
  const keeper = keepTopics({ config, options, wanted: new Set(topics), logger });
  await Promise.race([keeper.looked, Bun.sleep(firstLookMsMax)]);
  const drain: Drain = startDrain({
    buffer,
    kafka,
    breaker,
    copies,
    pace,
    topicOf,
    logger,
    onDrained: (outcome, events) => metrics.bufferDrained.inc({ outcome }, events),
    onHalted: topic => keeper.want([topic]),
  });
  const disk = diskLog(buffer);
  const log = hedge({ kafka, disk, breaker, copies, budgetMs: config.ackBudgetMs, onAnswered: pace.answered });
  return {
    log,
    get isUp() {
      return !breaker.isOpen;
    },
    problems: () => ({
      ...(breaker.reason === null ? {} : { kafka: breaker.reason }),
      ...(keeper.problem() === null ? {} : { topics: keeper.problem()! }),
      ...Object.fromEntries(drain.halted()),
    }),
    want: keeper.want,
    broken: new Promise(resolve => {
      drain.done.catch(error => resolve(`draining the disk buffer broke: ${messageOf(error)}`));
    }),
    async close() {
      keeper.stop();
      await log.close();
      await drain.stop();
    },
  };
}

/** So that the first events find their topics. A broker that hangs must not keep clients waiting for us at a restart. */
const firstLookMsMax = 1_500;

interface Keeping {
  readonly config: Config;
  readonly options: KafkaLogOptions;
  readonly wanted: Set<string>;
  readonly logger: Logger;
}

interface Keeper {
  /** Resolved once Kafka has been asked, whatever it said. */
  readonly looked: Promise<void>;
  /** These seem to be missing. */
  want(topics: readonly string[]): void;
  /** Why a topic is missing, in words; null = none is, as far as is known. */
  problem(): string | null;
  stop(): void;
}

/** Creates the topics that are missing, as soon as Kafka can be asked, and again when one is missed later. */
function keepTopics({ config, options, wanted, logger }: Keeping): Keeper {
  const stopping = new AbortController();
  const looked = Promise.withResolvers<void>();
  let problem: string | null = null;
  let wake = new AbortController();

  void (async () => {
    for (let waitMs = retryMsMin; !stopping.signal.aborted; ) {
      wake = new AbortController();
      const error = await look();
      looked.resolve();
      if (error === null) waitMs = retryMsMin;
      const signal = AbortSignal.any([stopping.signal, wake.signal]);
      await sleep(retryMsMin, stopping.signal); // however many topics are missed
      await sleep((error === null ? lookEveryMs : waitMs) - retryMsMin, signal);
      waitMs = Math.min(waitMs * 2, retryMsMax);
    }
  })();

  async function look(): Promise<PipelineError | null> {
    try {
      const created = await ensureTopics(options, [...wanted], {
        partitions: config.topicPartitions,
        replicas: config.topicReplication,
        create: config.topicCreate,
      });
      if (created.length > 0) logger.info({ topics: created }, 'topics were created');
      problem = null;
      return null;
    } catch (thrown) {
      const error = thrown instanceof PipelineError ? thrown : new PipelineError('log_unavailable', messageOf(thrown));
      if (error.message !== problem && !stopping.signal.aborted)
        logger[error.retry === 'halt' ? 'error' : 'warn'](
          { code: error.code },
          `the topics could not be looked after: ${error.message}`,
        );
      problem = error.message;
      return error;
    }
  }

  return {
    looked: looked.promise,
    want(topics) {
      for (const topic of topics) wanted.add(topic);
      wake.abort();
    },
    problem: () => problem,
    stop: () => stopping.abort(),
  };
}

const lookEveryMs = 60_000;
const retryMsMin = 500;
const retryMsMax = 10_000;

export interface KafkaReaderOptions {
  readonly config: Config;
  readonly topics: () => Topics;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What the etl role reads: those of `topics` that it moves. */
export function kafkaReader({ config, topics, logger, metrics }: KafkaReaderOptions): Source {
  const { from, kafkaGroup, kafkaSessionTimeoutMs: sessionTimeoutMs } = config;
  // A group of its own: the usual one goes on where it is, and a restart goes on where this one was.
  const groupId = from === null ? kafkaGroup : `${kafkaGroup}-from-${nameOf(from)}`;
  if (from !== null)
    logger.info({ group: groupId }, 'reading the log again; done when ugc_etl_lag_events says 0 of every topic');
  const options = { ...kafkaOptionsOf(config), groupId };
  const onReplaced = (topic: string): void => metrics.etlLogReplaced.inc({ topic });
  const source = kafkaSource({ ...options, sessionTimeoutMs, from, topics: topics().read, logger, onReplaced });
  const leftOver = watchLeftOver({
    ...options,
    known: () => [...topics().read, ...topics().written],
    onChange: left => {
      if (left.size > 0) logger.warn({ topics: Object.fromEntries(left) }, leftOverWords(left));
    },
  });
  return {
    ...source,
    problem: () => source.problem() ?? (leftOver.left.size === 0 ? null : leftOverWords(leftOver.left)),
    close: () => {
      leftOver.stop();
      return source.close();
    },
  };
}

const leftOverWords = (left: ReadonlyMap<string, number>): string =>
  `events wait that nobody reads, of an earlier UGC_TOPIC or UGC_LEDGER: ${[...left]
    .map(([topic, events]) => `${events} in ${topic}`)
    .join(', ')}; they become rows by another ugc --role=etl with the earlier setting`;

/** Throws `config_invalid` when --from names a topic that nobody reads: it would be passed over in silence. */
export function refuseStrange(from: From | null, topics: readonly string[]): void {
  if (from === null || 'atMs' in from) return;
  const named = [...from.offsets.keys()].map(place => place.slice(0, place.lastIndexOf('/')));
  const strange = named.find(topic => !topics.includes(topic));
  if (strange !== undefined)
    throw new PipelineError(
      'config_invalid',
      `UGC_FROM (--from) names ${strange}, which is no topic of an event type${hintOf(strange, topics)}`,
    );
}

/** How this process reaches Kafka. Rejects with `config_invalid` when a PEM file cannot be read. */
export function kafkaOptionsOf(config: Config): KafkaLogOptions {
  const { kafkaSasl, kafkaUser: username, kafkaPassword: password } = config;
  return {
    brokers: config.kafkaBrokers.split(','),
    clientId: config.kafkaClientId,
    compression: config.kafkaCompression,
    connectionTimeoutMs: config.kafkaConnectTimeoutMs,
    requestTimeoutMs: config.kafkaRequestTimeoutMs,
    ...(config.kafkaTls && { ssl: tlsOf(config) }),
    ...(kafkaSasl !== 'none' && { sasl: { mechanism: kafkaSasl, username, password } as KafkaLogOptions['sasl'] & {} }),
  };
}

function tlsOf({ kafkaTlsCa, kafkaTlsCert, kafkaTlsKey }: Config): TlsOptions {
  return {
    ...(kafkaTlsCa !== '' && { ca: readPem('UGC_KAFKA_TLS_CA', kafkaTlsCa) }),
    ...(kafkaTlsCert !== '' && { cert: readPem('UGC_KAFKA_TLS_CERT', kafkaTlsCert) }),
    ...(kafkaTlsKey !== '' && { key: readPem('UGC_KAFKA_TLS_KEY', kafkaTlsKey) }),
  };
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new PipelineError('config_invalid', `${setting} names a file that cannot be read: ${messageOf(error)}`);
  }
}
