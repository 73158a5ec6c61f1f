// What bounds a process: memory by its control groups, version 2 and 1, and open files. Linux alone; null = no bound is known.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface MemoryBound {
  readonly bytesMax: number;
  readonly bytesUsed: number | null;
  /** Times a process of the group was killed for it; null = not told. */
  readonly kills: number | null;
}

const root = '/sys/fs/cgroup';

/** The narrowest of its groups. `pid` or `self`. */
export function memoryBoundOf(pid: number | 'self' = 'self'): MemoryBound | null {
  const lines = (textOf(`/proc/${pid}/cgroup`) ?? '').split('\n');
  const second = lines.find(line => line.startsWith('0::'))?.slice(3);
  const first = lines.find(line => /^\d+:([^:]*,)?memory(,[^:]*)?:/.test(line))?.replace(/^\d+:[^:]*:/, '');
  const bounds = [
    ...(second === undefined
      ? []
      : upwards(second).map(path => boundIn(join(root, path), 'memory.max', 'memory.current'))),
    ...(first === undefined
      ? []
      : upwards(first).map(path =>
          boundIn(join(root, 'memory', path), 'memory.limit_in_bytes', 'memory.usage_in_bytes'),
        )),
  ].filter(bound => bound !== null);
  return bounds.reduce<MemoryBound | null>(
    (least, bound) => (least === null || bound.bytesMax < least.bytesMax ? bound : least),
    null,
  );
}

function boundIn(folder: string, max: string, used: string): MemoryBound | null {
  const bytesMax = numberIn(join(folder, max));
  // Version 1 says no bound as the largest number of pages there can be.
  if (bytesMax === null || bytesMax >= 2 ** 60) return null;
  const kills = /^oom_kill (\d+)$/m.exec(textOf(join(folder, 'memory.events')) ?? '')?.[1];
  return { bytesMax, bytesUsed: numberIn(join(folder, used)), kills: kills === undefined ? null : Number(kills) };
}

/** A group and those it lies in. */
function upwards(path: string): readonly string[] {
  const paths: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    paths.push(at);
    if (at === '/' || at === '.') return paths;
  }
}

/** The soft limit, which counts. */
export function openFilesMaxOf(pid: number | 'self' = 'self'): number | null {
  const found = /^Max open files\s+(\d+)/m.exec(textOf(`/proc/${pid}/limits`) ?? '')?.[1];
  return found === undefined ? null : Number(found);
}

function numberIn(file: string): number | null {
  const text = textOf(file)?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : null;
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
