// One table's way into the sink: gathers its batches, inserts block after block, one at a time.
//
// - A row that finds the table at rest leaves at once; a table in use is inserted into every `intervalMs`, so blocks grow
//   with the rate, and in its turn where many are in use (pace.ts). What it has not used at rest it may use at once, a few
//   inserts at most. Half of a full block does not wait, and the next is charged nothing for that (spacing.ts); but in
//   a backlog rows that are old already wait for more of them, as larger blocks cost less.
// - An insert of unknown outcome, or into a sink that is overloaded or needs repair, is repeated with the same token
//   until it succeeds: never skipped, never split.
// - Only a definite refusal leads to dead letters, and only of the records that are refused alone. Where no dead letters
//   are kept it halts the table.

import { messageOf, PipelineError } from '../errors.ts';
import type { MoverMetrics } from '../ports/mover-metrics.ts';
import type { DeadLetters, Sink } from '../ports/sink.ts';
import type { Batch } from '../ports/source.ts';
import { sleep } from '../process/sleep.ts';
import { spacingOf } from '../process/spacing.ts';
import type { Logger } from '../process/telemetry.ts';
import { type Block, blockOf, fillingOf } from './block.ts';
import { isolate } from './isolate.ts';
import type { Pace } from './pace.ts';

export interface LaneOptions {
  readonly sink: Sink;
  /** Without it a refused block is repeated, like one the sink needs repair for. */
  readonly deadLetters?: DeadLetters | undefined;
  readonly blockRowsMax: number;
  readonly blockBytesMax: number;
  readonly intervalMs: number;
  /** Inserts a table at rest may have at once, before the interval holds. Each interval at rest gives one back. */
  readonly sparesMax?: number;
  /** Of all tables. */
  readonly pace: Pace;
  readonly logger: Logger;
  readonly metrics: MoverMetrics;
  /** No new insert begins after this. */
  readonly stopping: AbortSignal;
  /** Inserts under way are given up, outcome unknown. */
  readonly givingUp: AbortSignal;
  /** The lane was full and is no longer. */
  readonly onRoom: () => void;
  /** The records of these batches are in the sink. */
  readonly onFinished: (batches: readonly Batch[]) => Promise<void>;
}

export interface Lane {
  add(batch: Batch): void;
  /** Holds as much as it may: its topics should not be polled. */
  readonly isFull: boolean;
  /** Topics it has had records from. */
  readonly topics: ReadonlySet<string>;
  /** Why the table waits for repair, or null. */
  readonly halted: string | null;
  /** What an insert has failed at for a while, and is repeated for, or null. */
  readonly trouble: string | null;
  /** Resolves once stopped; rejects when committing failed. */
  readonly done: Promise<void>;
}

/** Few events now and then are all fresh; a steady stream is not inserted more often for it. */
const sparesMaxStandard = 2;
/** In a backlog rows wait for half of a block no longer than a tenth of their age, and than so many intervals. */
const backlogWaitShare = 0.1;
const backlogIntervalsMax = 5;
const retryMsMin = 50;
const retryMsMax = 5_000;
/** What passes within this is nobody's trouble. */
const passingMsMax = 1_000;

export function startLane(type: string, options: LaneOptions): Lane {
  const { sink, deadLetters, logger, metrics, stopping, givingUp } = options;
  const filling = fillingOf(type);
  const topics = new Set<string>();
  let halted: string | null = null;
  /** The failure that is repeated just now, and since when. */
  let failing: { readonly message: string; readonly sinceMs: number } | null = null;
  let awaited = Promise.withResolvers<void>();
  /** Ends the wait for the next insert. */
  let hurry = new AbortController();
  const wake = (): void => {
    awaited.resolve();
    hurry.abort();
  };
  stopping.addEventListener('abort', wake, { once: true });

  return {
    add: batch => {
      topics.add(batch.topic);
      filling.add(batch);
      awaited.resolve();
      if (isHalfFull()) hurry.abort();
    },
    get isFull() {
      return isFull();
    },
    topics,
    get halted() {
      return halted;
    },
    get trouble() {
      return failing !== null && performance.now() - failing.sinceMs > passingMsMax ? failing.message : null;
    },
    done: run(),
  };

  async function run(): Promise<void> {
    const { intervalMs, sparesMax = sparesMaxStandard } = options;
    const spacing = spacingOf(sparesMax * intervalMs);
    /** When the last block was closed, if it was as soon as it was half full: there is a backlog. */
    let hurriedAtMs = Number.NEGATIVE_INFINITY;
    while (!stopping.aborted) {
      if (filling.rows === 0) {
        awaited = Promise.withResolvers();
        await awaited.promise;
        continue;
      }
      if (!isHalfFull()) {
        hurry = new AbortController();
        const ageMs = Date.now() - filling.oldestAtMs;
        const gatheredAtMs = hurriedAtMs + Math.min(ageMs * backlogWaitShare, intervalMs * backlogIntervalsMax);
        await sleep(Math.max(spacing.freeAt(), gatheredAtMs) - performance.now(), hurry.signal);
        await options.pace.turn(hurry.signal);
        if (stopping.aborted) return;
      }
      hurriedAtMs = isHalfFull() ? performance.now() : Number.NEGATIVE_INFINITY;
      spacing.take(performance.now(), intervalMs);
      const wasFull = isFull();
      const block = filling.close({ rowsMax: options.blockRowsMax, bytesMax: options.blockBytesMax });
      if (wasFull && !isFull()) options.onRoom();
      await deliver(block);
    }
  }

  function isFull(): boolean {
    return filling.bytes >= options.blockBytesMax || filling.rows >= options.blockRowsMax;
  }

  function isHalfFull(): boolean {
    return filling.bytes * 2 >= options.blockBytesMax || filling.rows * 2 >= options.blockRowsMax;
  }

  /** Resolves when every record of the block is in the sink or dead-lettered there, or when stopping. */
  async function deliver(block: Block): Promise<void> {
    let rest: Block | null = block;
    let retryMs = retryMsMin;
    while (rest !== null) {
      try {
        rest = await attempt(rest);
        retryMs = retryMsMin;
      } catch (error) {
        tell(causeOf(error), block);
        await sleep(retryMs * (0.5 + Math.random()), stopping);
        if (stopping.aborted) return;
        retryMs = Math.min(retryMs * 2, retryMsMax);
      }
    }
    if (halted !== null) recover();
    failing = null;
    await options.onFinished(block.batches);
  }

  /** What is left to insert, null when nothing; rejects when the same is to be tried again. */
  async function attempt(block: Block): Promise<Block | null> {
    try {
      await insert(block);
      return null;
    } catch (error) {
      const cause = causeOf(error);
      if (cause.retry !== 'never') throw cause;
      if (deadLetters === undefined) throw new PipelineError('sink_halted', cause.message, { cause });
      tell(cause, block);
      return withoutRefused(block, deadLetters);
    }
  }

  async function insert(block: Block): Promise<void> {
    const startedAt = performance.now();
    await sink.insert(block, block.token, givingUp);
    const { rows, oldestAtMs, batches } = block;
    metrics.inserted({ type, rows, tookMs: performance.now() - startedAt, oldestAtMs, batches });
  }

  /** Dead-letters what is to blame for a refusal; what is left, under a token of its own. */
  async function withoutRefused(block: Block, deadLetters: DeadLetters): Promise<Block | null> {
    const { letters, good } = await isolate(deadLetters, { type, batches: block.batches, signal: givingUp });
    await deadLetters.deadLetter(letters, givingUp);
    metrics.deadLettered('refused', letters.length);
    logger.error({ table: type, records: letters.length, first: letters[0]?.detail }, 'records were dead-lettered');
    return good.length === 0 ? null : blockOf(type, good);
  }

  function tell(cause: PipelineError, block: Block): void {
    metrics.failed(cause.code);
    const about = { err: cause, table: type, rows: block.rows };
    if (cause.retry === 'never') logger.error(about, `${sink.title} refused a block; looking for the records to blame`);
    if (cause.retry === 'backoff') {
      // Said when it begins and when it is another, not at every repetition.
      if (failing?.message !== cause.message)
        logger.warn(about, 'an insert is repeated under its token until its outcome is known');
      failing = { message: cause.message, sinceMs: failing?.sinceMs ?? performance.now() };
    }
    if (cause.retry === 'halt' && halted !== cause.message) {
      logger.error(about, 'the table needs repair; its events wait in the log');
      halted = cause.message;
      metrics.halted(type, true);
    }
  }

  function recover(): void {
    halted = null;
    metrics.halted(type, false);
    logger.info({ table: type }, 'the table takes rows again');
  }
}

/** A bug in the sink is no reason to lose records: its outcome is unknown. */
const causeOf = (error: unknown): PipelineError =>
  error instanceof PipelineError ? error : new PipelineError('sink_unknown', messageOf(error), { cause: error });
