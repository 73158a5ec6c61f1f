// How the server ends: by a signal, at a bug, or because ending in order takes too long.

import { messageOf } from '../errors.ts';
import { timed } from './sleep.ts';
import type { Logs } from './telemetry.ts';

/** Resolves with the name of the first signal; a second one ends the process at once. */
export function signalled({ logger }: Logs): Promise<string> {
  return new Promise(resolve => {
    let isStopping = false;
    for (const name of ['SIGTERM', 'SIGINT'] as const)
      process.on(name, () => {
        if (isStopping) endAtOnce();
        isStopping = true;
        logger.info({ signal: name }, 'stopping; a second signal ends at once');
        resolve(name);
      });
  });
}

/**
 * A hangup never ends the server, from its first moment on: a terminal may close, and operators reload by habit. The parts
 * that have something to read again listen to the signal themselves; the log says what that is.
 */
export function outliveHangups({ logger }: Logs, reloaded: string): void {
  process.on('SIGHUP', () =>
    logger.info({ signal: 'SIGHUP', reloaded }, 'looking again at what can change at run time'),
  );
}

/**
 * A bug ends the process at once and the next start goes on from the disk. By signal, because an ordinary exit waits for
 * the embedded engine, which may be what hangs.
 */
export function endAtBugs(): void {
  const end = (error: unknown): void => {
    process.stderr.write(`ugc: a bug: ${error instanceof Error ? error.stack : String(error)}\n`);
    endAtOnce();
  };
  process.on('uncaughtException', end);
  process.on('unhandledRejection', end);
}

/** The first process of a container is not killed by a signal of its own; it can still fall down. */
function endAtOnce(): never {
  process.kill(process.pid, 'SIGKILL');
  process.abort();
}

/** Null when done in time, else why not. */
export const endOf = (timeoutMs: number, work: Promise<void>): Promise<string | null> =>
  timed(
    timeoutMs,
    work.then(() => null, messageOf),
    () => `not done within ${timeoutMs} ms (UGC_SHUTDOWN_TIMEOUT_MS)`,
  );
