// A Source that is a list of batches: what a log gives a mover, with everything a test wants to know about it.

import assert from 'node:assert/strict';
import type { Ack, PollOptions, PositionedBatch, PositionedSource } from '../../src/ports/source.ts';

export interface Records {
  readonly topic: string;
  readonly partition?: number;
  readonly type: string | null;
  readonly version?: number;
  /** Bodies, without their newline. */
  readonly bodies: readonly string[];
  readonly oldestAtMs?: number;
}

/** What an ack of a list is: everything of this place up to `last` is finished. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly last: number;
  readonly epoch?: number;
}

const ackOf = (position: Position): Ack => position as unknown as Ack;
const positionOf = (ack: Ack): Position => ack as unknown as Position;

export interface ListSource extends PositionedSource {
  /** Appends one batch behind the last of its topic and partition. */
  add(records: Records): PositionedBatch;
  /** `topic/partition` → last position committed. Never moves back. */
  readonly committed: ReadonlyMap<string, number>;
  /** Every commit in order. */
  readonly commits: readonly Position[];
  /** What each poll was asked, in order. */
  readonly polls: readonly PollOptions[];
  /** Bytes of the batches nobody has polled yet. */
  unreadBytes(): number;
  isPolling(): boolean;
  isClosed(): boolean;
  /** Called with every commit before it counts; what it throws, the commit rejects with. */
  onCommit: (position: Position) => void;
  /** The next poll rejects with it. */
  breakPoll(error: Error): void;
}

export const keyOf = ({ topic, partition }: { readonly topic: string; readonly partition: number }): string =>
  `${topic}/${partition}`;

/** These types, as a mover knows them that knows of one version only. */
export const versionOne = (...types: string[]): ReadonlyMap<string, number> => new Map(types.map(type => [type, 1]));

/** A batch as a log would give it. */
export function batchOf(
  { topic, partition = 0, type, bodies, oldestAtMs = 0, ...stamp }: Records,
  first = 0,
): PositionedBatch {
  const last = first + bodies.length - 1;
  const ndjson = Buffer.from(bodies.map(body => `${body}\n`).join(''));
  return acked({ topic, partition, first, last, type, count: bodies.length, oldestAtMs, ndjson, ...stamp });
}

/** With the ack of a list that has it. */
export const acked = (run: Omit<PositionedBatch, 'ack'>): PositionedBatch => {
  const { topic, partition, last, epoch } = run;
  return { ...run, ack: ackOf({ topic, partition, last, ...(epoch !== undefined && { epoch }) }) };
};

/** Reads `log` from its beginning, or from behind the positions committed before. */
export function listSource(log: PositionedBatch[] = [], from: ReadonlyMap<string, number> = new Map()): ListSource {
  const committed = new Map(from);
  const commits: ListSource['commits'][number][] = [];
  const polls: PollOptions[] = [];
  const unread = log.filter(batch => batch.last > (from.get(keyOf(batch)) ?? -1));
  let wake = Promise.withResolvers<void>();
  let polling = false;
  let closed = false;
  let broken: Error | null = null;

  const source: ListSource = {
    add: records => {
      const before = log.findLast(batch => keyOf(batch) === keyOf({ partition: 0, ...records }));
      const batch = batchOf(records, before === undefined ? 0 : before.last + 1);
      log.push(batch);
      unread.push(batch);
      wake.resolve();
      return batch;
    },
    poll: async (options, signal) => {
      assert(!closed, 'a source is not polled after close');
      assert(!polling, 'one poll at a time');
      polls.push(options);
      polling = true;
      const onAbort = () => wake.resolve();
      signal.addEventListener('abort', onAbort);
      try {
        for (;;) {
          if (signal.aborted) return [];
          const error = broken;
          broken = null;
          if (error !== null) throw error;
          wake = Promise.withResolvers();
          const taken = take(options);
          if (taken.length > 0) return taken;
          await wake.promise;
        }
      } finally {
        signal.removeEventListener('abort', onAbort);
        polling = false;
      }
    },
    commit: async ack => {
      const { topic, partition, last, epoch } = positionOf(ack);
      assert(!closed, 'nothing is committed after close');
      await null;
      source.onCommit({ topic, partition, last });
      commits.push({ topic, partition, last, ...(epoch !== undefined && { epoch }) });
      const key = keyOf({ topic, partition });
      committed.set(key, Math.max(last, committed.get(key) ?? -1));
    },
    close: async () => {
      closed = true;
    },
    committed,
    commits,
    polls,
    unreadBytes: () => unread.reduce((bytes, batch) => bytes + batch.ndjson.length, 0),
    isPolling: () => polling,
    isClosed: () => closed,
    onCommit: () => {},
    breakPoll: error => {
      broken = error;
      wake.resolve();
    },
  };
  return source;

  function take({ paused, bytesMax }: PollOptions): PositionedBatch[] {
    const taken: PositionedBatch[] = [];
    let bytes = 0;
    for (let at = 0; at < unread.length && bytes < bytesMax; ) {
      const batch = unread[at]!;
      if (paused.has(batch.topic)) {
        at++;
        continue;
      }
      taken.push(batch);
      bytes += batch.ndjson.length;
      unread.splice(at, 1);
    }
    return taken;
  }
}
