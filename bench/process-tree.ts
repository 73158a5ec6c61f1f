// A process and what it started, and the CPU time of all of them.

import { readdirSync, readFileSync } from 'node:fs';
import { cpuUs } from './process.ts';

/** The process itself is the first. */
export function tree(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const];
      } catch {
        return []; // gone meanwhile
      }
    });
  const found = [root];
  for (const pid of found) found.push(...parents.flatMap(([child, parent]) => (parent === pid ? [child] : [])));
  return found;
}

/** User and system, microseconds. What a process that has ended took is not in it. */
export const treeUs = (pid: number): number => tree(pid).reduce((sum, each) => sum + cpuUs(each), 0);
