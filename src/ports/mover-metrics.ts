// What a mover tells of itself in numbers, whoever counts it.

import type { Batch } from './source.ts';

export interface MoverMetrics {
  /** A mover begins: what one before it has said of halts and of topics held back holds no more. */
  begun(): void;
  /** A block is in the sink. `oldestAtMs`: when the edge took the oldest of its records. */
  inserted(block: {
    readonly type: string;
    readonly rows: number;
    readonly tookMs: number;
    readonly oldestAtMs: number;
    readonly batches: readonly Batch[];
  }): void;
  /** An insert has failed, with the code of its error. */
  failed(code: string): void;
  /** A table waits for repair, or no more. */
  halted(type: string, isHalted: boolean): void;
  /** A topic is held back, or no more. */
  heldBack(topic: string, isHeldBack: boolean): void;
  /** Records are dead letters now. */
  deadLettered(reason: string, records: number): void;
}
