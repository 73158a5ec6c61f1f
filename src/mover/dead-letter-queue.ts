// Records that can be no rows, on their way to where dead letters are kept: one after the other by topic, which is not
// polled meanwhile, until they are stored; nobody else waits for them.

import { messageOf } from '../errors.ts';
import type { MoverMetrics } from '../ports/mover-metrics.ts';
import type { DeadLetter, DeadLetters } from '../ports/sink.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';

export interface DeadLetterQueueOptions {
  readonly deadLetters: DeadLetters;
  readonly logger: Logger;
  readonly metrics: MoverMetrics;
  readonly retryMs: number;
  readonly stopping: AbortSignal;
  /** What is under way is given up, outcome unknown. */
  readonly givingUp: AbortSignal;
  /** These are stored. */
  readonly onStored: (letters: readonly DeadLetter[]) => Promise<void>;
  /** The topic may be polled again. */
  readonly onRoom: () => void;
  readonly onBroken: (error: unknown) => void;
}

export interface DeadLetterQueue {
  add(topic: string, letters: readonly DeadLetter[]): void;
  /** Those with letters on their way. */
  topics(): Iterable<string>;
  /** Resolves when nothing is on its way, or once stopped. */
  settled(): Promise<void>;
}

export function deadLetterQueueOf(options: DeadLetterQueueOptions): DeadLetterQueue {
  const { deadLetters, logger, metrics, retryMs, stopping, givingUp, onStored, onRoom, onBroken } = options;
  /** By topic, the last of them. */
  const storing = new Map<string, Promise<void>>();

  return {
    add: (topic, letters) => {
      const last = (storing.get(topic) ?? Promise.resolve())
        .then(() => store(topic, letters))
        .catch(onBroken)
        .finally(() => {
          if (storing.get(topic) !== last) return;
          storing.delete(topic);
          onRoom();
        });
      storing.set(topic, last);
    },
    topics: () => storing.keys(),
    settled: async () => void (await Promise.allSettled(storing.values())),
  };

  async function store(topic: string, letters: readonly DeadLetter[]): Promise<void> {
    while (!stopping.aborted && !(await areStored(topic, letters))) await sleep(retryMs, stopping);
    if (stopping.aborted) return;
    for (const [reason, dead] of Map.groupBy(letters, letter => letter.reason)) {
      metrics.deadLettered(reason, dead.length);
      logger.error({ topic, records: dead.length, reason, first: dead[0]!.detail }, 'records were dead-lettered');
    }
    await onStored(letters);
  }

  async function areStored(topic: string, letters: readonly DeadLetter[]): Promise<boolean> {
    try {
      await deadLetters.deadLetter(letters, givingUp);
      return true;
    } catch (error) {
      logger.warn({ err: error, topic }, `dead letters will be repeated: ${messageOf(error)}`);
      return false;
    }
  }
}
