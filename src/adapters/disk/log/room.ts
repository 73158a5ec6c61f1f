// How much the buffer may still take: the lesser of its own bound and what the volume has left above the reserve.
//
// Bytes are written twice, into the write-ahead log and later into the file, and what is in the log but not yet in the
// file has its place there promised. As long as that holds (free ≥ reserve + promised) the log can always be emptied,
// so a full disk can always be drained. The disk is asked every 250 ms, and each time when it is nearly full; in
// between our own appends are subtracted.

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pageBytes } from './file.ts';

export interface Pages {
  readonly count: number;
  readonly free: number;
}

export interface Room {
  /** Bytes an append may have: within our own bound, and on the volume. */
  left(pages: Pages): { readonly bound: number; readonly disk: number };
  /** So many bytes were appended. */
  spend(bytes: number): void;
  /** Bytes by which the file is larger than its pages: they are cut off by the next checkpoint. */
  overhang(pages: Pages): number;
}

export interface Bounds {
  readonly path: string;
  readonly bytesMax: number;
  readonly diskReserveBytes: number;
}

const askEveryMs = 250;
const nearlyFullBytes = 128 * 2 ** 20;
/** Pages every transaction rewrites (index, state, the last leaf), and the log's bytes per byte appended: measured 1.3. */
const sparePages = 16;
const logFactor = 1.5;

export const bytesUsed = ({ count, free }: Pages): number => (count - free) * pageBytes;

export function roomOf({ path, bytesMax, diskReserveBytes }: Bounds): Room {
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let volume = { free: 0, fileBytes: 0 };
  let spent = 0;

  const ask = (): void => {
    const { bavail, bsize } = statfsSync(dirname(path));
    volume = { free: bavail * bsize, fileBytes: statSync(path).size };
    askedAtMs = performance.now();
    spent = 0;
  };

  const onDisk = (pages: Pages): number => {
    const promised = Math.max(0, pages.count * pageBytes - volume.fileBytes);
    const free = volume.free - diskReserveBytes - promised - logFactor * spent - sparePages * pageBytes;
    // The most that fits with its place in the log, and in the file as far as free pages do not give it one.
    const reusable = pages.free * pageBytes;
    const within = free / logFactor;
    return within <= reusable ? within : (free + reusable) / (1 + logFactor);
  };

  return {
    left(pages) {
      if (performance.now() - askedAtMs > askEveryMs || onDisk(pages) < nearlyFullBytes) ask();
      return { bound: bytesMax - bytesUsed(pages), disk: Math.floor(onDisk(pages)) };
    },
    spend(bytes) {
      spent += bytes;
    },
    overhang: pages => statSync(path).size - pages.count * pageBytes,
  };
}
