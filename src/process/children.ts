// Processes of ours that are kept running: one that ends is started again, after a pause that grows while it ends soon; at a stop
// they end in their order. Each has a process group of its own, so that Ctrl-C reaches them through us, once.

import { sleep } from './sleep.ts';
import type { Logger } from './telemetry.ts';

export interface ChildProcess {
  /** For the log. */
  readonly name: string;
  readonly command: readonly string[];
}

export interface ChildrenOptions {
  /** Those of a group are stopped together, group after group. */
  readonly groups: readonly (readonly ChildProcess[])[];
  /** Of each of them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From SIGTERM until it is killed. */
  readonly stopMsMax: number;
  readonly logger: Logger;
  readonly pauseMsMin?: number;
  readonly pauseMsMax?: number;
  /** One that has run so long begins with the shortest pause again. */
  readonly steadyMs?: number;
}

export interface Children {
  /** Resolves once all have ended: 0 in order, 1 not, 2 one of them says that its settings are wrong. */
  readonly ended: Promise<0 | 1 | 2>;
  /** Ends them in order. Idempotent. */
  stop(): void;
  /** kill -9. */
  killAll(): void;
  /** SIGHUP. */
  reload(): void;
}

/** Exit code of one whose settings are wrong: it would not be another way the next time. */
const wrongUse = 2;

export function runChildren(options: ChildrenOptions): Children {
  const { groups, env, stopMsMax, logger, pauseMsMin = 1_000, pauseMsMax = 30_000, steadyMs = 60_000 } = options;
  const stopping = new AbortController();
  const running = new Map<ChildProcess, Bun.Subprocess>();
  let exit: 0 | 1 | 2 = 0;
  const kept = groups.map(group => group.map(child => ({ child, over: keep(child) })));
  const ended = Promise.all([stopInOrder(), ...kept.flat().map(({ over }) => over)]).then(() => exit);

  async function keep(child: ChildProcess): Promise<void> {
    for (let pauseMs = pauseMsMin; !stopping.signal.aborted; ) {
      const startedAt = performance.now();
      const code = await runOnce(child);
      if (stopping.signal.aborted) {
        if (code !== 0) exit ||= 1;
        return;
      }
      if (code === wrongUse) {
        exit = wrongUse;
        stopping.abort();
        return;
      }
      if (performance.now() - startedAt >= steadyMs) pauseMs = pauseMsMin;
      logger.error(
        { role: child.name, exit: code, again_in_ms: pauseMs },
        `${child.name} has ended; it is started again`,
      );
      await sleep(pauseMs, stopping.signal);
      pauseMs = Math.min(pauseMs * 2, pauseMsMax);
    }
  }

  /** Null: by a signal. */
  async function runOnce(child: ChildProcess): Promise<number | null> {
    const started = Bun.spawn([...child.command], {
      env: { ...env },
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
      detached: true,
    });
    running.set(child, started);
    logger.info({ role: child.name, child: started.pid }, `${child.name} is started`);
    await started.exited;
    running.delete(child);
    return started.exitCode;
  }

  async function stopInOrder(): Promise<void> {
    await new Promise<void>(resolve => stopping.signal.addEventListener('abort', () => resolve(), { once: true }));
    for (const group of kept) {
      for (const { child } of group) running.get(child)?.kill('SIGTERM');
      const late = setTimeout(() => {
        for (const { child } of group) running.get(child)?.kill('SIGKILL');
      }, stopMsMax);
      await Promise.all(group.map(({ over }) => over));
      clearTimeout(late);
    }
  }

  const tellAll = (signal: NodeJS.Signals): void => {
    for (const one of running.values()) one.kill(signal);
  };
  return {
    ended,
    stop: () => stopping.abort(),
    killAll: () => {
      stopping.abort();
      tellAll('SIGKILL');
    },
    reload: () => tellAll('SIGHUP'),
  };
}
