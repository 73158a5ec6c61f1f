// The disk buffer: a durable log in one SQLite file, whose commit is what a client's 200 means. This side only gathers
// and hands over; the file belongs to the worker thread.
//
// Appends batch naturally: while a group is being committed its followers queue, then leave together as the next group,
// one transaction and one fsync for all of them. No timer: alone, an append goes at once. In a group the bodies of one
// topic and type are joined to one string, so the cost per event is that of joining.
// The queue is bounded; beyond it appends are refused as if the disk were full.
// If the worker dies, everything pending and everything later rejects with `buffer_failed`, and `onFailure` is told
// once: the process should end and be restarted, the file is then as the last commit left it.

import { PipelineError } from '../../../errors.ts';
import type { BufferedEvent, DiskBuffer, ForgottenReader, Range } from '../../../ports/buffer.ts';
import type { Envelope } from '../../../ports/log.ts';
import { type BufferSource, sqliteSource } from '../read/source.ts';
import { groupRuns } from './group.ts';
import { type BufferLog, openPatiently } from './opening.ts';
import type { Bounds } from './room.ts';
import { startThread } from './thread.ts';

export interface SqliteBufferOptions extends Bounds {
  readonly log?: BufferLog;
  /** The worker is gone and with it the buffer; told once. */
  readonly onFailure?: (error: PipelineError) => void;
}

/** What one transaction takes of the queue, one caller at least; what may wait in it. UTF-16 units of the bodies. */
const groupLengthMax = 2 * 2 ** 20;
const queueLengthMax = 64 * 2 ** 20;
/** After so long `hasRoom` asks again. */
const roomAgeMaxMs = 250;

/** Of half a MiB each. */
const findStepsMax = 128;

interface PendingAppend {
  readonly envelopes: readonly Envelope[];
  readonly length: number;
  resolve(range: Range): void;
  reject(error: unknown): void;
}

/**
 * Rejects with `config_invalid` when the file is not ours, with `buffer_failed` when it cannot be opened. Where there is
 * no room to open it, it is opened once there is; until then it takes nothing, as when it is full.
 */
export async function sqliteBuffer(options: SqliteBufferOptions, start = startThread): Promise<DiskBuffer> {
  const { path, bytesMax, diskReserveBytes, log, onFailure } = options;
  const sources = new Set<BufferSource>();
  const queue: PendingAppend[] = [];
  let queuedLength = 0;
  let committing: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  let broken = false;

  const room = { left: 0, atMs: 0, asking: false };
  const noteRoom = (left: number): void => {
    room.left = left;
    room.atMs = performance.now();
  };
  const fail = (error: PipelineError): void => {
    broken = true;
    onFailure?.(error);
  };
  const started = start((complaint, fields, level = 'error') => log?.[level]?.(fields, complaint), fail);
  const thread = await openPatiently(
    started,
    { path, bytesMax, diskReserveBytes },
    { log, onOpen: noteRoom, onFailure: fail },
  );

  function takeGroup(): PendingAppend[] {
    let count = 0;
    let length = 0;
    do {
      length += queue[count++]!.length;
    } while (count < queue.length && length + queue[count]!.length <= groupLengthMax);
    queuedLength -= length;
    return queue.splice(0, count);
  }

  async function commitQueue(): Promise<void> {
    // Callers that append in this same turn join the first group.
    await null;
    while (queue.length > 0) {
      const group = takeGroup();
      try {
        const { head, text } = groupRuns(group.map(({ envelopes }) => envelopes));
        const { first, last, left } = await thread.ask<'append'>({ op: 'append', head, text });
        noteRoom(left);
        for (const { resolve } of group) resolve({ first, last });
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
      for (const source of sources) source.nudge();
    }
    committing = null;
  }

  async function askRoom(): Promise<void> {
    room.asking = true;
    try {
      noteRoom((await thread.ask<'left'>({ op: 'left' })).left);
    } catch {
      // The thread is gone; `broken` says so.
    } finally {
      room.asking = false;
    }
  }

  async function shut(): Promise<void> {
    await committing;
    await Promise.all([...sources].map(source => source.close()));
    try {
      if (!broken) await thread.ask<'close'>({ op: 'close' });
    } finally {
      thread.end();
    }
  }

  return {
    get id() {
      return thread.identity();
    },

    async append(envelopes) {
      if (closing !== null) throw new PipelineError('shutting_down', 'The disk buffer is closed');
      const length = lengthOf(envelopes);
      if (queuedLength + length > queueLengthMax && queue.length > 0)
        throw new PipelineError('buffer_full', 'Too many bytes are waiting for the disk');
      if (envelopes.length === 0) return { first: 0, last: -1 };
      return new Promise<Range>((resolve, reject) => {
        queue.push({ envelopes, length, resolve, reject });
        queuedLength += length;
        committing ??= commitQueue();
      });
    },

    source(reader, { withKeys = false } = {}) {
      const source = sqliteSource(thread, { reader, withKeys, log: thread.identity, path });
      sources.add(source);
      return source;
    },

    async keepReaders(readers) {
      const answer = await thread.ask<'keepReaders'>({ op: 'keepReaders', readers: JSON.stringify(readers) });
      return JSON.parse(answer.forgotten) as ForgottenReader[];
    },

    async setAside(records) {
      await thread.ask<'setAside'>({ op: 'setAside', records: JSON.stringify(records) });
    },

    async find(ids) {
      const events: BufferedEvent[] = [];
      let before = -1;
      for (let steps = 0; steps < findStepsMax; steps++) {
        const { found, next } = await thread.ask<'find'>({ op: 'find', ids: JSON.stringify(ids), before });
        events.push(...(JSON.parse(found) as BufferedEvent[]));
        if (next < 0) return { events, isWhole: true };
        before = next;
      }
      return { events, isWhole: false };
    },

    async stats() {
      const { events, bytes, oldestAtMs, quarantined } = await thread.ask<'stats'>({ op: 'stats' });
      return { events, bytes, oldestAtMs, quarantined };
    },

    hasRoom(bytes) {
      if (closing !== null || thread.isFailing()) return false;
      if (performance.now() - room.atMs > roomAgeMaxMs && !room.asking) void askRoom();
      return queuedLength + bytes <= Math.min(room.left, queueLengthMax);
    },

    problem: thread.problem,

    close: () => (closing ??= shut()),
  };
}

function lengthOf(envelopes: readonly Envelope[]): number {
  let length = 0;
  for (const { body } of envelopes) {
    if (body.includes('\n')) throw new PipelineError('internal', 'The body of an envelope is more than one line');
    length += body.length;
  }
  return length;
}
