// Wishes of flows in memory, for tests and for what has no data folder.

import type { FlowControl } from '../../ports/flow-control.ts';
import { type WishRecord, wishesOf } from '../../record/wishes.ts';

export interface MemoryWishes {
  readonly records: WishRecord[];
  readonly listeners: Set<() => void>;
}

export const memoryWishes = (): MemoryWishes => ({ records: [], listeners: new Set() });

/** Those that share `kept` see each other's. */
export function memoryFlowControl(kept: MemoryWishes = memoryWishes()): FlowControl {
  const own = new Set<() => void>();
  let now = wishesOf(kept.records);
  const changed = (): void => {
    now = wishesOf(kept.records);
    for (const listener of own) listener();
  };
  kept.listeners.add(changed);
  const keep = async (record: WishRecord): Promise<void> => {
    kept.records.push(record);
    for (const listener of kept.listeners) listener();
  };
  return {
    wishes: () => now,
    problem: () => null,
    away: () => null,
    wish: keep,
    drained: keep,
    watch: listener => void own.add(listener),
    close: async () => void kept.listeners.delete(changed),
  };
}
