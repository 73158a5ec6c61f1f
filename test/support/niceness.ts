// How far the threads of a process stand back for others: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html

import { readdirSync, readFileSync } from 'node:fs';

/** The niceness of each thread, the first one's first. */
export function nicenessesOf(pid: number): number[] {
  const others = readdirSync(`/proc/${pid}/task`).map(Number);
  // Numbers begin anew once they are used up: those of later threads may be smaller.
  return [pid, ...others.filter(thread => thread !== pid)].map(thread =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[16]),
  );
}
