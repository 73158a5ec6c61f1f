// SIGSTOP that has happened when the call returns: a signal is only on its way when kill() returns, and a thread that runs on
// another core goes on until it next enters the kernel. A broker was seen to answer one more request in that time.

import { readdirSync, readFileSync } from 'node:fs';

interface Child {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
}

const msMax = 10_000;

/** No thread of the process runs any more, or it has ended. Without /proc (macOS) the signal is only sent. */
export function freeze(child: Child): void {
  child.kill('SIGSTOP');
  if (process.platform !== 'linux') return;
  const deadline = performance.now() + msMax;
  while (statesOf(child.pid).some(state => !'TtZXx'.includes(state))) {
    if (performance.now() > deadline) throw new Error(`process ${child.pid} was not stopped within ${msMax} ms`);
    Bun.sleepSync(1);
  }
}

export const thaw = (child: Child): void => child.kill('SIGCONT');

/** A letter a thread, as in proc(5); none once the process has gone. */
function statesOf(pid: number): string[] {
  const folder = `/proc/${pid}/task`;
  return unlessGone(() => readdirSync(folder), []).map(thread =>
    // "12 (a name) with) any sign) S 1 …": the state follows the last parenthesis.
    unlessGone(() => /.*\) (.)/s.exec(readFileSync(`${folder}/${thread}/stat`, 'latin1'))![1]!, 'X'),
  );
}

function unlessGone<T>(read: () => T, gone: T): T {
  try {
    return read();
  } catch {
    return gone;
  }
}
