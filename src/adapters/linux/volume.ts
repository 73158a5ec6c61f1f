// What the kernel says of a folder's volume and of a file's locks. Linux alone: elsewhere nothing is known.

import { readFileSync, realpathSync, statSync } from 'node:fs';

/** `ext4`, `tmpfs`, `nfs4`, …; null = not known. https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html */
export function fileSystemOf(folder: string): string | null {
  try {
    const path = realpathSync(folder);
    let [best, kind] = [-1, null as string | null];
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [about = '', rest = ''] = line.split(' - ');
      const mount = plainPath(about.split(' ')[4] ?? '');
      const isIn = mount === '/' || path === mount || path.startsWith(`${mount}/`);
      // Of several on one place the last one is seen.
      if (mount !== '' && isIn && mount.length >= best) [best, kind] = [mount.length, rest.split(' ')[0] ?? null];
    }
    return kind;
  } catch {
    return null;
  }
}

/** A space in a path is written \040. */
const plainPath = (path: string): string =>
  path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/**
 * Processes that hold a lock on a file, 0 = one of another container. Read from /proc/locks, so that no lock is tried
 * for. Empty also where nothing is known.
 */
export function holdersOf(file: string): readonly number[] {
  try {
    const { dev, ino } = statSync(file);
    const hex = (number: number): string => number.toString(16).padStart(2, '0');
    const place = `${hex(majorOf(dev))}:${hex(minorOf(dev))}:${ino}`;
    const found = readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .filter(words => words.includes(place))
      .map(words => Math.max(0, Number(words[words.indexOf(place) - 1])));
    return [...new Set(found)];
  } catch {
    return [];
  }
}

/** Bits of a device number as glibc has them. */
const majorOf = (dev: number): number => Math.floor(dev / 256) % 4096;
const minorOf = (dev: number): number => (dev % 256) + Math.floor(dev / 2 ** 20) * 256;
