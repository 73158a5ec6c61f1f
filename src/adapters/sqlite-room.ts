// How much the buffer may still take: the lesser of its own bound and what the volume has left above the reserve.
// The disk is asked at most every 250 ms; in between our own appends are subtracted, so the figure errs to the safe
// side. Room that pages already in the write-ahead log will need when they move into the file is not room.

import { statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { inodeOf, pageBytes } from './sqlite-file.ts';

export interface Pages {
  readonly count: number;
  readonly free: number;
}

export interface Room {
  /** Bytes an append may have. Throws if the file was removed or replaced: what we would write is nobody's. */
  left(pages: Pages): number;
  /** So many bytes were appended. */
  spend(bytes: number): void;
}

export interface Bounds {
  readonly path: string;
  readonly bytesMax: number;
  readonly diskReserveBytes: number;
}

const askEveryMs = 250;

export const bytesUsed = ({ count, free }: Pages): number => (count - free) * pageBytes;

export function roomOf({ path, bytesMax, diskReserveBytes }: Bounds): Room {
  const inode = inodeOf(path);
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let volume = { free: 0, fileBytes: 0 };
  let spent = 0;

  const ask = (): void => {
    if (inodeOf(path) !== inode) throw new Error(`the buffer file ${path} was removed or replaced while open`);
    const { bavail, bsize } = statfsSync(dirname(path));
    volume = { free: bavail * bsize, fileBytes: statSync(path).size };
    askedAtMs = performance.now();
    spent = 0;
  };

  return {
    left(pages) {
      if (performance.now() - askedAtMs > askEveryMs) ask();
      const unwritten = Math.max(0, pages.count * pageBytes - volume.fileBytes);
      const onDisk = volume.free - diskReserveBytes - unwritten - spent + pages.free * pageBytes;
      return Math.min(bytesMax - bytesUsed(pages), onDisk);
    },
    spend(bytes) {
      spent += bytes;
    },
  };
}
