// How far the threads of a process stand back for others: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

import { readdirSync, readFileSync } from 'node:fs';

/** The niceness of each thread, the first one's first. */
export function nicenessesOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  return threads
    .toSorted((a, b) => a - b)
    .map(thread => Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[16]));
}
