// What cannot be moved by this process, and may be by another: what a newer ugc has written, and where the sink keeps no
// dead letters what can be no row. It is no row and no dead letter, its position is not passed, and its topic is read no
// further: so it is read again, whole, by this process after its upgrade or by another one beside it.
//
// In a rolling deployment the partition may go to the newer process at any time, and come back when that one has passed
// what was held back. So while anything is its ownership is looked at: what was read under one that has ended is forgotten.

import type { MoverMetrics } from '../ports/mover-metrics.ts';
import type { Batch, Source } from '../ports/source.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';

export interface HeldBackOptions {
  readonly source: Pick<Source, 'owns'>;
  readonly logger: Logger;
  readonly metrics: MoverMetrics;
  readonly stopping: AbortSignal;
  /** These are held back no more, others will read them; their topics may be read on. */
  readonly onForgotten: (batches: readonly Batch[]) => void;
}

export interface HeldBack {
  /** `why` in words. */
  add(batch: Batch, why: string): void;
  /** Topics not to be read, each with the reason. */
  readonly topics: ReadonlyMap<string, string>;
  /** Resolves once stopped. */
  readonly done: Promise<void>;
}

const lookEveryMs = 1_000;

export function heldBackOf({ source, logger, metrics, stopping, onForgotten }: HeldBackOptions): HeldBack {
  const topics = new Map<string, string>();
  let held: readonly Batch[] = [];
  let looking = Promise.resolve();

  return {
    add: (batch, why) => {
      const { topic, partition, first: position } = batch;
      if (!topics.has(topic)) {
        topics.set(topic, why);
        metrics.heldBack(topic, true);
        logger.error({ topic, partition, position }, `the topic waits: ${why}`);
      }
      held = [...held, batch];
      if (held.length === 1 && source.owns !== undefined) looking = look();
    },
    topics,
    get done() {
      return looking;
    },
  };

  async function look(): Promise<void> {
    while (held.length > 0) {
      await sleep(lookEveryMs, stopping);
      if (stopping.aborted) return;
      const lost = held.filter(batch => !source.owns!(batch));
      held = held.filter(batch => !lost.includes(batch));
      for (const topic of [...topics.keys()]) if (!held.some(batch => batch.topic === topic)) readOn(topic);
      if (lost.length > 0) onForgotten(lost);
    }
  }

  function readOn(topic: string): void {
    topics.delete(topic);
    metrics.heldBack(topic, false);
    logger.info({ topic }, 'what was held back is another process’s to read; the topic is read on');
  }
}
