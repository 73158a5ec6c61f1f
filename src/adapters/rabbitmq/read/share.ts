// What a source has of one topic while it may read it: what was delivered and not yet polled, and how its progress is kept.

import type { Delivery, Finished } from './batches.ts';

export interface Share {
  readonly topic: string;
  /** Of this ownership: another has another. */
  readonly epoch: number;
  /** Until so many bytes are reached. */
  take(bytesMax: number): readonly Delivery[];
  commit(finished: Finished): Promise<void>;
  /** Events behind what is committed; null = not known now. */
  lag(): number | null;
  /** Now and then: what has to be asked of the server. */
  tick(): Promise<void>;
}

/** Deliveries in their order. */
export function waitingIn(ready: Delivery[]) {
  return (bytesMax: number): Delivery[] => {
    let count = 0;
    for (let bytes = 0; count < ready.length && bytes < bytesMax; count++) bytes += ready[count]!.content.length + 1;
    return ready.splice(0, count);
  };
}
