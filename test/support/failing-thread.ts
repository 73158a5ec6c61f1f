// The buffer's thread, and some of what it is asked fails at random: before it has done it, or after, when its answer is
// lost. What SQLite says of a disk that does not answer (ESTALE, ETIMEDOUT, ENOMEM), without the disk.

import { startThread } from '../../src/adapters/disk/log/thread.ts';
import type { Op } from '../../src/adapters/disk/log/worker.ts';
import { PipelineError } from '../../src/errors.ts';
import type { DiskBuffer } from '../../src/ports/buffer.ts';
import { patiently } from '../../src/process/sleep.ts';
import type { Random } from './random.ts';

export interface FailingThread {
  /** In the place of the real one. */
  readonly start: typeof startThread;
  /** How often each thing failed. */
  readonly failed: ReadonlyMap<Op, number>;
}

export function failingThread(random: Random, share: number, ops: ReadonlySet<Op>): FailingThread {
  const failed = new Map<Op, number>();
  const start: typeof startThread = (...args) => {
    const thread = startThread(...args);
    return {
      ...thread,
      async ask(request) {
        const fails = ops.has(request.op) && random.next() < share;
        if (!fails || random.next() < 0.5) {
          const answer = await thread.ask(request);
          if (!fails) return answer as never;
        }
        failed.set(request.op, (failed.get(request.op) ?? 0) + 1);
        throw new PipelineError('buffer_failed', 'The buffer file: disk I/O error (SQLITE_IOERR_READ)');
      },
    };
  };
  return { start, failed };
}

/** The buffer, asked again whenever a poll or a commit is refused for what may pass, as the drain and the mover do. */
export const askingAgain = (buffer: DiskBuffer): DiskBuffer => ({
  ...buffer,
  source(...args) {
    const source = buffer.source(...args);
    return {
      ...source,
      poll: async (options, signal) => (await again(() => source.poll(options, signal), signal)) ?? [],
      commit: async ack => void (await again(() => source.commit(ack), never)),
    };
  },
});

const never = new AbortController().signal;

const again = <T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T | null> =>
  patiently(ask, { pauseMs: 1, signal, onRefused: () => {} });
