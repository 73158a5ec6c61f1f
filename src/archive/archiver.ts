// The loop of the archive: log → chains (chain.ts) → cold files, beside the mover and in nobody's way.
//
// - A chain is closed when it holds enough bytes, when its first record has waited long enough, or as the largest when all
//   together hold more than there is memory for. Meanwhile nothing more is read than fits.
// - What was read under an ownership that has ended is dropped: another has it.
// - A store that is away, full, read-only or refuses is waited for, and told; the log keeps what comes.
// - What is paused is read no more; what was read of it before is written in its time. What is to be drained waits for no more.
// - What a newer ugc wrote holds back its chain: read again under another ownership, or when types have grown.

import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import { type Gate, openGate } from '../ports/flow-control.ts';
import type { RowFormat } from '../ports/row-format.ts';
import type { Batch, JudgeForeign, Source } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { openChain } from './chain.ts';
import type { Encode } from './files.ts';
import { gatheredBy, heldWordsOf, type Kept, oldestOf, pausedOf } from './kept.ts';
import type { Entry } from './manifest.ts';
import { type PieceOptions, pieceOf, rejudged } from './pieces.ts';
import { troublesOf } from './troubles.ts';

export interface ArchiverOptions {
  /** Goes on where the reader was; opened anew after it broke. */
  readonly openSource: () => Source;
  /** All that is read, as it is just now: what is paused while there is no memory. */
  readonly topics: () => readonly string[];
  readonly store: ColdStore;
  readonly formats: readonly RowFormat[];
  readonly everyFormat: readonly RowFormat[];
  readonly encode: Encode;
  /** Of the types there are just now. */
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  readonly judge: JudgeForeign;
  readonly unknownTypes: 'wait' | 'dead_letter';
  readonly isDense: boolean;
  readonly fileBytes: number;
  readonly fileSeconds: number;
  readonly memoryBytes: number;
  /** Whether anything may be read now; absent = always. */
  readonly gate?: Pick<Gate, 'topics' | 'isDraining'>;
  readonly by: string;
  readonly logger: Logger;
  readonly metrics: ArchiveMetrics;
  readonly now?: () => number;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
  readonly pollBytesMax?: number;
  /** What is being written at a stop gets this long. */
  readonly graceMs?: number;
}

export interface ArchiveMetrics {
  /** An entry of ours is in the manifest. */
  entered(entry: Entry): void;
}

export interface Archiver {
  problems(): Readonly<Record<string, string>>;
  /** What is gathered and not in the manifest. */
  gathered(): ReturnType<typeof gatheredBy>;
  /** When the edge took the oldest gathered record, by topic. */
  oldest(): ReadonlyMap<string, number>;
  /** Events behind, by topic; null: nothing is read yet. */
  lag(): Promise<ReadonlyMap<string, number> | null>;
  /** The types have grown: what was held back is read again. */
  reopen(): void;
  /** Idempotent. What is not in the manifest is read again after the next start. */
  stop(): Promise<void>;
}

const lookEveryMs = 1_000;

export function startArchiver(options: ArchiverOptions): Archiver {
  const { store, logger, metrics, now = Date.now, retryMsMin = 200, retryMsMax = 10_000 } = options;
  const { pollBytesMax = 2 ** 22, graceMs = 3_000, gate = openGate } = options;
  const stopping = new AbortController();
  const givingUp = new AbortController();
  const troubles = troublesOf(logger);
  const kept = new Map<string, Kept>();
  const steps = new Set<Promise<void>>();
  let source: Source | null = null;
  let wake = new AbortController();
  let mustReopen = false;
  const pieces: PieceOptions = {
    versionOf: type => definitionVersion(options.definitionOf(type)),
    judge: options.judge,
    unknownTypes: options.unknownTypes,
  };
  const done = run();

  return {
    problems: () => ({
      ...troubles.words(),
      ...(source?.problem?.() ? { archive_reading: source.problem()! } : {}),
      ...heldWordsOf(kept.values()),
    }),
    gathered: () => gatheredBy(kept.values()),
    oldest: () => oldestOf(kept.values()),
    lag: async () => (await source?.lag?.()) ?? null,
    reopen: () => {
      mustReopen = true;
      wake.abort();
    },
    stop: async () => {
      stopping.abort();
      wake.abort();
      const grace = setTimeout(() => givingUp.abort(), graceMs);
      await done;
      clearTimeout(grace);
    },
  };

  async function run(): Promise<void> {
    await untilPrepared();
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        mustReopen = false;
        source = options.openSource();
        await readFrom(source, () => {
          failures = 0;
        });
      } catch (error) {
        troubles.tell('archive_log', error, 'the log cannot be read for the archive just now; it is tried again');
        await sleep(pauseMs(failures), stopping.signal);
      } finally {
        await endAll();
        await source?.close().catch(error => logger.warn({ err: error }, 'the reader of the archive was not closed'));
      }
    }
  }

  /** What is being written is finished, unless that takes too long; what is gathered is read again. */
  async function endAll(): Promise<void> {
    if (!stopping.signal.aborted) for (const { ending } of kept.values()) ending.abort();
    await Promise.race([Promise.all(steps), aborted(givingUp.signal)]);
    for (const { ending } of kept.values()) ending.abort();
    kept.clear();
  }

  async function untilPrepared(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      try {
        await store.prepare();
        troubles.over('archive');
        return;
      } catch (error) {
        troubles.tell('archive', error, 'the archive cannot be written; events wait in the log');
        await sleep(pauseOf(error, failures), stopping.signal);
      }
    }
  }

  async function readFrom(from: Source, onRead: () => void): Promise<void> {
    while (!stopping.signal.aborted && !mustReopen) {
      forgetLost(from);
      wake = new AbortController();
      if (stopping.signal.aborted) return;
      stepAll(from);
      const batches = await polled(from);
      for (const batch of batches) take(batch, from);
      troubles.over('archive_log');
      onRead();
    }
  }

  /** Now and then there is something to do without anything having come. */
  async function polled(from: Source): Promise<readonly Batch[]> {
    const { signal } = wake;
    const look = setTimeout(() => wake.abort(), lookEveryMs);
    try {
      const paused = pausedOf(kept.values(), options).union(gate.topics());
      return await from.poll({ paused, bytesMax: pollBytesMax }, signal);
    } finally {
      clearTimeout(look);
    }
  }

  function take(batch: Batch, from: Source): void {
    const key = keyOf(batch);
    const before = kept.get(key);
    if (before !== undefined && before.first.epoch !== batch.epoch) forget(key, before);
    const own = kept.get(key) ?? keep(key, batch, from);
    if (own.held !== null) return;
    const piece = pieceOf(batch, pieces);
    if (typeof piece === 'string') {
      own.held = piece;
      logger.error(
        { topic: batch.topic, partition: batch.partition, position: batch.first },
        `the topic waits: ${piece}`,
      );
    } else own.chain.add(piece);
  }

  function keep(key: string, batch: Batch, from: Source): Kept {
    const { topic, partition, log = '' } = batch;
    const chain = openChain({
      ...options,
      chain: { topic, log, partition },
      rejudge: piece => rejudged(piece, pieces),
      commit: ack => from.commit(ack),
      now,
      onEntry,
    });
    const made = { chain, first: batch, ending: new AbortController(), topic };
    const own: Kept = { ...made, stepping: false, failures: 0, retryAtMs: 0, held: null };
    kept.set(key, own);
    return own;
  }

  function onEntry(entry: Entry, isOurs: boolean): void {
    if (!isOurs) return;
    metrics.entered(entry);
    const { topic, partition, missing } = entry;
    if (missing.length > 0)
      logger.error(
        { topic, partition, missing: missing.map(({ first, last }) => `${first} to ${last}`) },
        'the log no longer had these records when the archive came to them: they are not archived, and the manifest says so',
      );
  }

  function forget(key: string, { ending }: Kept): void {
    ending.abort();
    kept.delete(key);
  }

  function forgetLost(from: Source): void {
    if (from.owns === undefined) return;
    for (const [key, own] of [...kept]) if (!from.owns(own.first)) forget(key, own);
  }

  /** Every chain that has something to do, and is not at it. */
  function stepAll(from: Source): void {
    const held = [...kept.values()].map(own => ({ own, gathered: own.chain.gathered }));
    const total = held.reduce((sum, { gathered }) => sum + gathered.bytes, 0);
    const largest =
      total <= options.memoryBytes
        ? undefined
        : held.filter(({ own }) => !own.chain.isShort).toSorted((a, b) => b.gathered.bytes - a.gathered.bytes)[0]?.own;
    for (const { own, gathered } of held) {
      if (own.stepping || own.retryAtMs > now()) continue;
      const isOld = gathered.sinceMs !== null && now() - gathered.sinceMs >= options.fileSeconds * 1_000;
      const mayClose = own === largest || isOld || gathered.bytes >= options.fileBytes || gate.isDraining(own.topic);
      if (own.chain.hasWork(mayClose)) void track(step(own, mayClose, from));
    }
  }

  async function track(step: Promise<void>): Promise<void> {
    steps.add(step);
    await step;
    steps.delete(step);
  }

  async function step(own: Kept, mayClose: boolean, from: Source): Promise<void> {
    const { signal } = own.ending;
    own.stepping = true;
    try {
      const isMore = await own.chain.step(mayClose, signal);
      own.failures = 0;
      troubles.over('archive');
      if (isMore) wake.abort();
    } catch (error) {
      if (signal.aborted || from.owns?.(own.first) === false) return;
      own.retryAtMs = now() + pauseOf(error, own.failures++);
      troubles.tell('archive', error, 'the archive does not take events just now; they wait in the log');
    } finally {
      own.stepping = false;
    }
  }

  function pauseOf(error: unknown, failures: number): number {
    const isHalted = error instanceof PipelineError && error.retry === 'halt';
    return isHalted ? retryMsMax : pauseMs(failures);
  }

  function pauseMs(failures: number): number {
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 20));
  }
}

const keyOf = ({ topic, log = '', partition }: Batch): string => JSON.stringify([topic, log, partition]);

const definitionVersion = (definition: TableDefinition | undefined): number | undefined =>
  definition === undefined ? undefined : (definition.version ?? 1);

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
