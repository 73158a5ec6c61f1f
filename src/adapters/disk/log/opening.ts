// The thread, with its file opened. On a full disk, or one that fails just now, that may take a while: until then the
// buffer takes nothing and says why, and readers are registered as soon as it is open, before anything is appended. No
// restart is needed, and the process may take events by another way meanwhile.

import { messageOf, PipelineError } from '../../../errors.ts';
import { sleep } from '../../../process/sleep.ts';
import { mayPass } from './file.ts';
import type { Bounds } from './room.ts';
import type { Thread } from './thread.ts';

export interface BufferLog {
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn?(fields: Readonly<Record<string, unknown>>, message: string): void;
  info?(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface OpeningThread extends Thread {
  /** Of the log in the file; null while it is not open. */
  identity(): string | null;
  /** In words why it is not open; null when it is. */
  problem(): string | null;
}

export interface OpeningOptions {
  readonly log: BufferLog | undefined;
  /** It is open, and an append may have so many bytes. */
  readonly onOpen: (left: number) => void;
  /** It can never be opened. */
  readonly onFailure: (error: PipelineError) => void;
}

const tryEveryMs = 1_000;

/** Resolves when the file is open, or cannot be for a reason that may pass; rejects with any other, the thread ended. */
export async function openPatiently(
  thread: Thread,
  bounds: Bounds,
  { log, onOpen, onFailure }: OpeningOptions,
): Promise<OpeningThread> {
  const closing = new AbortController();
  const opened = Promise.withResolvers<void>();
  let identity: string | null = null;
  let lacking: PipelineError | null = null;

  /** False when it cannot be opened now. */
  async function open(): Promise<boolean> {
    try {
      const answer = await thread.ask<'open'>({ op: 'open', ...bounds });
      identity = answer.identity;
      lacking = null;
      onOpen(answer.left);
      opened.resolve();
      return true;
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (lacking === null) log?.error({ err: error }, 'the disk buffer cannot be opened yet: it is tried again');
      lacking = error;
      return false;
    }
  }

  async function openLater(): Promise<void> {
    do await sleep(tryEveryMs, closing.signal);
    while (!closing.signal.aborted && !(await open()));
    if (!closing.signal.aborted) log?.info?.({ path: bounds.path }, 'the disk buffer is open at last');
  }

  try {
    if (!(await open()))
      void openLater().catch(error => onFailure(new PipelineError('buffer_failed', messageOf(error))));
  } catch (error) {
    thread.end();
    throw error;
  }
  return {
    identity: () => identity,
    problem: () => lacking?.message ?? null,
    isFailing: thread.isFailing,
    async ask(request) {
      if (lacking !== null) {
        if (request.op === 'close') return {} as never;
        if (request.op !== 'register' && request.op !== 'keepReaders') throw lacking;
        await opened.promise;
      }
      return thread.ask(request as never);
    },
    end() {
      closing.abort();
      thread.end();
    },
  };
}
