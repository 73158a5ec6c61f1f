// One process of several that make up a pipeline: killed, stopped, hung and started again on its folder. Whatever is done
// to it twice, or in an odd order, does no harm, so that several faults may hit it at once; one thing is done after the
// other. One that ends without having been asked to is remembered.

import { freeze, thaw } from './freeze.ts';
import { startUgc, temporaryFolder, type Ugc } from './ugc.ts';

export interface Part {
  readonly name: string;
  /** The process that runs, or ran last. */
  now(): Ugc;
  /** kill -9. Resolves when it is dead. */
  kill(): Promise<void>;
  /** SIGTERM, which must end it with 0. */
  stop(): Promise<void>;
  /** SIGSTOP. */
  hang(): void;
  cont(): void;
  /** Unless it runs. */
  start(more?: readonly string[]): Promise<void>;
  /** What those said last that ended of themselves. */
  readonly crashes: readonly string[];
}

export async function partOf(name: string, flags: () => readonly string[]): Promise<Part> {
  const dataDir = temporaryFolder();
  const crashes: string[] = [];
  let now: Ugc;
  let isUp = false;
  let isAsked = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = last.then(act);
    last = done.catch(() => {});
    return done;
  };

  const start = async (more: readonly string[] = []): Promise<void> => {
    if (isUp) return;
    isAsked = false;
    now = await startUgc({ dataDir, flags: ['--request-log=false', ...flags(), ...more] });
    isUp = true;
    const started = now;
    void started.exited.then(code => {
      if (now === started) isUp = false;
      if (!isAsked) crashes.push(`${name} ended with ${code}: ${started.output().slice(-2_000)}`);
    });
  };
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<void> => {
    if (!isUp) return;
    isAsked = true;
    now.kill(signal);
    thaw(now); // it may be hung
    const code = await now.exited;
    isUp = false;
    if (signal === 'SIGTERM' && code !== 0)
      throw new Error(`SIGTERM ended ${name} with ${code}: ${now.output().slice(-2_000)}`);
  };
  await start();
  return {
    name,
    now: () => now,
    kill: () => inTurn(() => end('SIGKILL')),
    stop: () => inTurn(() => end('SIGTERM')),
    hang: () => {
      if (isUp && !isAsked) freeze(now);
    },
    cont: () => {
      if (isUp) thaw(now);
    },
    start: more => inTurn(() => start(more)),
    crashes,
  };
}
