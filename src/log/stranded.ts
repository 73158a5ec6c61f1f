// Events that lie in the buffer and cannot be sent for the sake of one part of the broker alone, as those whose keys
// belong to a partition without a leader, for hours perhaps. They are appended anew, behind whatever else the buffer
// has for their topic, so that this does not wait for them; they are tried again in their turn, and once nothing but
// them is left, in turns with a pause.

import type { DiskBuffer } from '../ports/buffer.ts';
import type { Envelope } from '../ports/log.ts';

export interface Stranded {
  /**
   * Resolves with true once they are in the buffer again and may be passed where they were, which is up to `last`; with
   * false when there is no room for that.
   */
  putBehind(topic: string, envelopes: readonly Envelope[], last: number): Promise<boolean>;
}

export interface StrandedOptions {
  readonly buffer: Pick<DiskBuffer, 'append'>;
  /** Between two turns. */
  readonly pause: () => Promise<void>;
}

export function strandedOf({ buffer, pause }: StrandedOptions): Stranded {
  /** By topic: where the first of this turn's lies now. A drain that gets there has seen all that was before it. */
  const turns = new Map<string, number>();
  return {
    async putBehind(topic, envelopes, last) {
      const turnEnd = turns.get(topic);
      const isOver = turnEnd !== undefined && last >= turnEnd;
      if (isOver) await pause();
      const range = await buffer.append(envelopes).catch(() => null);
      if (range === null) return false;
      if (isOver || turnEnd === undefined) turns.set(topic, range.first);
      return true;
    },
  };
}
