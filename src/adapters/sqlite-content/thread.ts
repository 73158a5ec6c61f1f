// The main thread's end of the writing one. While a group is being written, what is asked for gathers and is the next
// group: the more there is to do, the more share one fsync.

import { messageOf, PipelineError } from '../../errors.ts';
import { timed } from '../../process/sleep.ts';
import type { Changes, Opening, Reply } from './worker.ts';

export interface WritingThread {
  /** Rejects with `store_unavailable` or `store_halted`: it was not done; `store_unknown`: the thread has ended over it. */
  do<Name extends keyof Changes>(name: Name, ...args: Parameters<Changes[Name]>): Promise<ReturnType<Changes[Name]>>;
  problem(): string | null;
  close(): Promise<void>;
}

interface Asked {
  /** `[name, …arguments]` as JSON. */
  readonly text: string;
  resolve(answer: never): void;
  reject(error: PipelineError): void;
}

/** One transaction holds the write lock and the memory of all of it. */
const groupMax = 500;
const waitingMax = 20_000;
const tryAgainMs = 1_000;
const closeMs = 10_000;

export function writingThread(opening: Opening): WritingThread {
  let waiting: Asked[] = [];
  let underWay: readonly Asked[] = [];
  let problem: PipelineError | null = null;
  let isClosed = false;
  let idle = Promise.withResolvers<void>();
  let worker = begun();

  function begun(): Worker {
    const made = new Worker(workerUrl());
    made.onmessage = ({ data }: MessageEvent<Reply>) => settle(data);
    made.onerror = event => broke(made, event.message);
    made.addEventListener('close', () => broke(made, 'its thread ended'));
    made.postMessage(JSON.stringify(opening));
    return made;
  }

  function settle(reply: Reply): void {
    const group = underWay;
    underWay = [];
    if ('code' in reply) {
      problem = new PipelineError(reply.code, reply.message);
      for (const { reject } of group) reject(problem);
      setTimeout(probe, tryAgainMs).unref();
    } else {
      problem = null;
      const answers = JSON.parse(reply.answers) as unknown[];
      for (const [at, { resolve }] of group.entries()) resolve(answers[at] as never);
    }
    send();
  }

  /** A bug or a lost thread: what was under way may have been done. The next one goes on. */
  function broke(of: Worker, reason: string): void {
    if (isClosed || of !== worker) return;
    of.terminate();
    worker = begun();
    const group = underWay;
    underWay = [];
    const error = new PipelineError('store_unknown', `The content store’s thread broke: ${reason}`);
    for (const { reject } of group) reject(error);
    send();
  }

  /** So that it is known to be well again, though nobody writes. */
  function probe(): void {
    if (problem !== null && !isClosed && waiting.length + underWay.length === 0) void ask('probe').catch(messageOf);
  }

  function send(): void {
    if (underWay.length > 0) return;
    if (waiting.length === 0) {
      idle.resolve();
      return;
    }
    underWay = waiting.slice(0, groupMax);
    waiting = waiting.length > groupMax ? waiting.slice(groupMax) : [];
    worker.postMessage(`[${underWay.map(({ text }) => text).join()}]`);
  }

  const ask: WritingThread['do'] = (name, ...args) => {
    if (isClosed) return Promise.reject(new PipelineError('store_unavailable', 'The content store is closed'));
    if (waiting.length >= waitingMax)
      return Promise.reject(
        new PipelineError('store_unavailable', 'Too many changes wait for the content store’s disk'),
      );
    return new Promise((resolve, reject) => {
      if (waiting.length + underWay.length === 0) {
        idle = Promise.withResolvers();
        queueMicrotask(send); // what is asked for at the same moment goes with it
      }
      waiting.push({ text: JSON.stringify([name, ...args]), resolve, reject });
    });
  };

  idle.resolve();
  void ask('probe').catch(messageOf); // so that `problem` knows from the start
  return {
    do: ask,
    problem: () => problem?.message ?? null,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await timed(closeMs, idle.promise, () => {});
      idle = Promise.withResolvers(); // of its last answer: the file is closed
      worker.postMessage('');
      await timed(closeMs, idle.promise, () => {});
      worker.terminate();
    },
  };
}

/** In a compiled binary modules lie where they lay under src, seen from the root instead of from this file. */
const workerUrl = (): URL =>
  new URL(Bun.isStandaloneExecutable ? './adapters/sqlite-content/worker.ts' : './worker.ts', import.meta.url);
