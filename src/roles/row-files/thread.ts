// The main thread's end of the one that makes cold files.
//
// - One file at a time: its rows are copied once it is its turn, a little at a time, so that requests go on between, and
//   what was gathered stays whole for another try.
// - A thread that ends over a file, as there was no memory for it, is an `archive_unavailable`: the next file has a new one.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Encode, EncodedRows } from '../../archive/files.ts';
import { PipelineError } from '../../errors.ts';
import type { RowFiles } from './formats.ts';
import type { Reply, Request } from './worker.ts';

export interface EncodingThread {
  readonly encode: Encode;
  /** Idempotent. What is being made is given up. */
  close(): void;
}

/** Copied in one turn of the event loop. */
const copyBytesMax = 1_048_576;

export interface EncodingOptions extends RowFiles {
  /** How far the thread stands back for others. */
  readonly archiveNice: number;
}

export function encodingThread({ archiveCompression, archiveNice: nice }: EncodingOptions): EncodingThread {
  const settings: RowFiles = { archiveCompression };
  let worker: Worker | null = null;
  let waiting: ReturnType<typeof Promise.withResolvers<EncodedRows>> | null = null;
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  function started(): Worker {
    const made = new Worker(workerUrl());
    made.onmessage = ({ data }: MessageEvent<Reply>) => {
      if ('content' in data) waiting?.resolve(data);
      else waiting?.reject(new Error(data.refused));
    };
    made.onerror = event => broke(made, event.message);
    made.addEventListener('close', () => broke(made, 'it ended'));
    return made;
  }

  function broke(ended: Worker, reason: string): void {
    if (ended !== worker) return;
    worker = null;
    ended.terminate();
    waiting?.reject(brokeBecause(reason));
  }

  async function make(...[format, definition, chunks]: Parameters<Encode>): Promise<EncodedRows> {
    if (isClosed) throw brokeBecause('it was stopped');
    worker ??= started();
    const to = worker;
    const made = Promise.withResolvers<EncodedRows>();
    made.promise.catch(() => {}); // it may break while rows are still being copied
    waiting = made;
    const send = (request: Request, handedOver: ArrayBuffer[] = []) => to.postMessage(request, handedOver);
    send({ op: 'begin', format: format.name, definition, settings, nice });
    for (const rows of copiesOf(chunks)) {
      send({ op: 'rows', rows }, [rows.buffer]);
      await nextTurn();
      if (to !== worker) return made.promise;
    }
    send({ op: 'end' });
    return made.promise;
  }

  return {
    encode: (...asked) => {
      const made = turn.then(() => make(...asked));
      turn = made.catch(() => null);
      return made;
    },
    close() {
      isClosed = true;
      if (worker !== null) broke(worker, 'it was stopped');
    },
  };
}

const brokeBecause = (reason: string): PipelineError =>
  new PipelineError('archive_unavailable', `the thread that makes the archive’s files broke: ${reason}`);

/** The bytes of all chunks in their order, in buffers of their own of one size. */
function* copiesOf(chunks: readonly Uint8Array[]): Iterable<Uint8Array<ArrayBuffer>> {
  let left = chunks.reduce((sum, { length }) => sum + length, 0);
  let copy = new Uint8Array(Math.min(left, copyBytesMax));
  let at = 0;
  for (const chunk of chunks)
    for (let from = 0; from < chunk.length; ) {
      const part = chunk.subarray(from, from + copy.length - at);
      copy.set(part, at);
      at += part.length;
      from += part.length;
      if (at < copy.length) continue;
      yield copy;
      left -= at;
      copy = new Uint8Array(Math.min(left, copyBytesMax));
      at = 0;
    }
}

/** In a compiled binary modules lie where they lay under src, seen from the root instead of from this file. */
const workerUrl = (): URL =>
  new URL(Bun.isStandaloneExecutable ? './roles/row-files/worker.ts' : './worker.ts', import.meta.url);
