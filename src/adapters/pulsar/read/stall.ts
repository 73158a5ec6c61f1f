// A partition that waits for a consumer that does nothing with it: of a process that hangs, or of none, as Pulsar's WebSocket
// service has been seen to keep one whose connection was long gone, until it is started again.
//
// It is taken over by a consumer of a better priority: Pulsar gives it what was not acknowledged. Which of two is right does not
// matter, as both would write the same rows. The later one always has the better priority, so that it can be taken back.

import type { PartitionState } from '../connect/admin.ts';

export interface Stall {
  /** Whether records have waited too long for the consumer that is given them. True once, then for twice as long not. */
  isOver(state: PartitionState | undefined, nowMs: number): boolean;
}

const doublingsMax = 4;

export function stallOf(msMax: number): Stall {
  let consumer = '';
  let ackedAtMs = 0;
  let sinceMs = 0;
  let waitMs = msMax;
  return {
    isOver(state, nowMs) {
      const [name, acked] =
        state === undefined || state.backlog === 0 ? ['', 0] : [state.activeConsumer, state.ackedAtMs];
      if (name === consumer && acked > ackedAtMs) waitMs = msMax;
      if (name !== consumer || acked !== ackedAtMs) sinceMs = nowMs;
      consumer = name;
      ackedAtMs = acked;
      if (name === '' || nowMs - sinceMs < waitMs) return false;
      sinceMs = nowMs;
      waitMs = Math.min(waitMs * 2, msMax * 2 ** doublingsMax);
      return true;
    },
  };
}

/** Of a consumer that takes its turn; Pulsar goes by the lowest. */
export const usualPriority = 2 ** 31 - 1;

/** Better than any before. */
export const betterPriority = (nowMs: number): number => usualPriority - Math.floor(nowMs / 1_000);
