// How much a thread gives way to others for the processor. Linux alone, where each thread has a niceness of its own; elsewhere
// nothing is changed.

import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** Of the thread that calls; one that is made by it later is like it. `nice`: 0 as others, 19 behind all. It cannot be taken back. */
export function giveWay(nice: number): void {
  if (nice <= 0) return;
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, nice);
  } catch {
    // It works as fast as it may, as without this.
  }
}
