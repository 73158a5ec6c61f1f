// Bodies in memory, of all requests together: as many bytes as there may be. A thousand senders of the largest body there may
// be are each within their right, and together more than there is memory.
//
// Where there is no room, a body that is still coming makes some, the oldest first: whoever sends slowly, or does so to keep
// others out, loses to whoever does not. When all are being worked on, the newcomer is told to come again.

import { PipelineError } from '../errors.ts';
import type { Pace } from './pace.ts';

/** One body. */
export interface Holder {
  /** Bytes of it that are counted. */
  kept: number;
  /** Ends it with `overloaded`, while it is still coming; null = it cannot be. */
  cut: ((error: PipelineError) => void) | null;
}

export interface Held {
  readonly bytes: number;
  /** So many bytes more have come. Throws `overloaded` when there is no room for them; then none of them are counted. */
  hold(holder: Holder, bytes: number): void;
  /** All of it has come. */
  arrived(holder: Holder): void;
  release(holder: Holder): void;
}

/** `pace`: absent = all that there is room for can be done in time. */
export function heldOf(bytesMax: number, pace?: Pace): Held {
  let held = 0;
  /** The oldest first. */
  const coming = new Set<Holder>();

  function arrived(holder: Holder): void {
    if (holder.cut !== null) coming.delete(holder);
    holder.cut = null;
  }

  function release(holder: Holder): void {
    arrived(holder);
    held -= holder.kept;
    pace?.done(holder.kept);
    holder.kept = 0;
  }

  function makeRoom(bytes: number, than: Holder): void {
    for (const other of coming) {
      if (held + bytes <= bytesMax) return;
      if (other === than) continue;
      const { cut } = other;
      release(other);
      cut?.(tooMuch(bytesMax, 'it was the one that had been coming for the longest'));
    }
  }

  return {
    get bytes() {
      return held;
    },
    hold(holder, bytes) {
      // What has begun to come goes on.
      const bound = holder.kept > 0 || held === 0 ? null : (pace?.bound() ?? null);
      if (bound !== null && held + bytes > bound) throw tooLate();
      if (held + bytes > bytesMax) makeRoom(bytes, holder);
      // One alone is always taken, however large it may be.
      if (held > holder.kept && held + bytes > bytesMax) throw tooMuch(bytesMax, 'all of them are being worked on');
      if (holder.cut !== null) coming.add(holder);
      held += bytes;
      holder.kept += bytes;
    },
    arrived,
    release,
  };
}

const tooLate = (): PipelineError =>
  new PipelineError('overloaded', 'there is more to do than can be done in time: this was refused to do the rest');

const tooMuch = (bytesMax: number, why: string): PipelineError =>
  new PipelineError(
    'overloaded',
    `the bodies of all requests come to more than ${bytesMax} bytes (UGC_REQUESTS_BYTES_MAX), and ${why}`,
  );

export const heldWithoutBound = heldOf(Number.POSITIVE_INFINITY);
