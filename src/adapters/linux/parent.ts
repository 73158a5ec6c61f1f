// A process that ends in order when the one that started it is gone, also by kill -9 (PR_SET_PDEATHSIG, prctl(2)). The kernel
// tells it once for each thread of that one it passes on its way to init, and a second SIGTERM would end it at once: so it
// is told by another signal, and what follows from the first is SIGTERM, once.

import { dlopen } from 'bun:ffi';

const prSetPdeathsig = 1;
/** SIGUSR2 */
const told = 12;

/** `parent`: its process id, as it told the child. Undefined: nobody is to be followed; not on Linux nobody is. */
export function endWithParent(parent: string | undefined): void {
  if (parent === undefined || process.platform !== 'linux') return;
  const { i32, u64 } = { i32: 'i32', u64: 'u64' } as const;
  const { prctl } = dlopen('libc.so.6', { prctl: { args: [i32, u64, u64, u64, u64], returns: i32 } }).symbols;
  let isEnding = false;
  const end = (): void => {
    if (!isEnding) process.kill(process.pid, 'SIGTERM');
    isEnding = true;
  };
  process.on('SIGUSR2', end);
  prctl(prSetPdeathsig, told, 0, 0, 0);
  if (process.ppid !== Number(parent)) end(); // it had gone before that
}
