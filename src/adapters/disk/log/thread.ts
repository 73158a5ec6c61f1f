// The main thread's end of the worker: a question, its answer as a promise. Answers come in the order of questions.

import { PipelineError } from '../../../errors.ts';
import type { Complain } from './file.ts';
import type { Answers, Op, Reply, Request } from './worker.ts';

export interface Thread {
  ask<O extends Op>(request: Extract<Request, { readonly op: O }>): Promise<Answers[O]>;
  /** The thread has ended or is about to. */
  isFailing(): boolean;
  /** After an answered `close`. */
  end(): void;
}

interface Pending {
  resolve(answer: never): void;
  reject(error: PipelineError): void;
}

export function startThread(complain: Complain, onFailure: (error: PipelineError) => void): Thread {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let failure: PipelineError | null = null;
  let ended = false;

  const worker = new Worker(workerUrl());
  worker.onmessage = ({ data }: MessageEvent<Reply>): void => {
    if ('failing' in data) {
      refuseAll(data.failing);
    } else if ('complaint' in data) {
      complain(data.complaint, data.fields, data.level);
    } else {
      settle(data);
    }
  };
  worker.onerror = event => fail(event.message);
  worker.addEventListener('close', () => fail('its thread ended'));

  function settle(data: Exclude<Reply, { readonly id: 0 }>): void {
    const waiting = pending.get(data.id);
    if (waiting === undefined) return; // refused already
    pending.delete(data.id);
    if ('code' in data) {
      waiting.reject(new PipelineError(data.code, data.message));
    } else {
      waiting.resolve(data as never);
    }
  }

  function refuseAll(reason: string): PipelineError {
    failure ??= new PipelineError('buffer_failed', `The disk buffer broke: ${reason}`);
    for (const { reject } of pending.values()) reject(failure);
    pending.clear();
    return failure;
  }

  function fail(reason: string): void {
    if (ended) return;
    ended = true;
    const failed = refuseAll(reason);
    worker.terminate();
    onFailure(failed);
  }

  return {
    isFailing: () => failure !== null,
    ask(request) {
      if (failure) return Promise.reject(failure);
      return new Promise((resolve, reject) => {
        const id = ++lastId;
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, ...request });
      });
    },
    end() {
      ended = true;
      worker.terminate();
    },
  };
}

/** In a compiled binary modules lie where they lay under src, seen from the root instead of from this file. */
const workerUrl = (): URL =>
  new URL(Bun.isStandaloneExecutable ? './adapters/disk/log/worker.ts' : './worker.ts', import.meta.url);
