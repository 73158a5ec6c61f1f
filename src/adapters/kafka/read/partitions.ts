// The partitions this member owns: where each is read, what is read and not yet polled, how far it is finished. Memory
// only; the fetcher fills it, polls empty it.
//
// Offsets no reader will ever see (markers of transactions, what was aborted, what compaction has emptied) are
// remembered as skips, so that a position that reaches one moves behind it, and a partition that ends in one has no lag
// for ever.

import type { Ack, PollOptions, PositionedBatch } from '../../../ports/source.ts';
import { type LogIdentity, nameOfLog } from '../connect/identity.ts';
import { keyOf, type TopicPartition } from './assign.ts';
import type { Scanned } from './scan.ts';

export interface Owned extends TopicPartition {
  /** Of this ownership. */
  readonly epoch: number;
  /** The offset to fetch from, null until it is known. */
  next: number | null;
  /** Which log the offsets are of; null until it is known. */
  log: LogIdentity | null;
  /** Of the leader that took the last record read, or that of the position it began at; -1 = not known. */
  readEpoch: number;
  /** Of the leader whose log is known to hold what was read. */
  underEpoch: number;
  /** Its topic was made anew while it was owned: what is not committed of the new log is read from its start. */
  readonly isReplaced: boolean;
  /** The offset up to which, exclusive, everything is finished. */
  finished: number;
  /** The offset behind the last record; null until it is known. */
  highWatermark: number | null;
  /** When that was last told, or reading began. Of performance.now(). */
  toldAtMs: number;
  ready: PositionedBatch[];
  readyBytes: number;
  readonly skips: Map<number, number>;
  /** Not to be fetched before: something is wrong with it. Of performance.now(). */
  retryAtMs: number;
}

export interface Partitions {
  all(): Iterable<Owned>;
  /** As it is owned now, whatever the epoch. */
  find(place: TopicPartition): Owned | undefined;
  /** Keeps what stays, if `isContinued`; the rest begins anew. */
  assign(places: readonly TopicPartition[], isContinued: boolean): void;
  /** The log has not got `owned.next`: reads on at `next`. Backwards it is as if it had been lost and had come back. */
  jump(owned: Owned, next: number): void;
  begin(owned: Owned, next: number, log?: LogIdentity | null): void;
  /** The topic is another log now: its partitions begin anew, and what was read of the old one commits nothing. */
  replace(topic: string): void;
  /**
   * Takes what was fetched from `owned.next`. Returns the offset to commit if nothing but skips are left before it, or
   * null.
   */
  fill(owned: Owned, scanned: Scanned): number | null;
  /** The offset to commit once everything up to `last` is finished. */
  finish(owned: Owned, last: number): number;
  take(options: PollOptions): readonly PositionedBatch[];
  readyBytes(paused: ReadonlySet<string>): number;
  /** Events behind what is finished, by topic; without a topic of which a partition's end or beginning is not known. */
  lag(): ReadonlyMap<string, number>;
}

let epochs = 0;

export function partitionsOf(): Partitions {
  let partitions = new Map<string, Owned>();

  const fresh = ({ topic, partition }: TopicPartition): Owned => ({
    topic,
    partition,
    epoch: ++epochs,
    next: null,
    log: null,
    readEpoch: -1,
    underEpoch: -1,
    isReplaced: false,
    finished: 0,
    highWatermark: null,
    toldAtMs: 0,
    ready: [],
    readyBytes: 0,
    skips: new Map(),
    retryAtMs: 0,
  });

  /** What has been read is still to be polled, though it commits nothing any more. */
  const anew = (owned: Owned): Owned => ({ ...fresh(owned), ready: owned.ready, readyBytes: owned.readyBytes });

  function passSkips(owned: Owned): number {
    for (let to = owned.skips.get(owned.finished); to !== undefined; to = owned.skips.get(owned.finished)) {
      owned.skips.delete(owned.finished);
      owned.finished = to;
    }
    return owned.finished;
  }

  /** Whose turn it is moves on with every poll that finds something. */
  function toTheEnd(owned: Owned): void {
    const key = keyOf(owned);
    if (partitions.get(key) !== owned) return;
    partitions.delete(key);
    partitions.set(key, owned);
  }

  function begin(owned: Owned, next: number, log: LogIdentity | null = null): void {
    owned.next = next;
    owned.log = log;
    owned.finished = next;
    owned.toldAtMs = performance.now();
  }

  return {
    all: () => partitions.values(),
    find: place => partitions.get(keyOf(place)),
    begin,
    assign(places, isContinued) {
      const before = partitions;
      partitions = new Map();
      for (const place of places) {
        const key = keyOf(place);
        partitions.set(key, (isContinued ? before.get(key) : undefined) ?? fresh(place));
      }
    },
    jump(owned, next) {
      if (next > owned.next!) {
        owned.skips.set(owned.next!, next);
        owned.next = next;
        return;
      }
      const again = anew(owned);
      begin(again, next, owned.log);
      partitions.set(keyOf(owned), again);
    },
    replace(topic) {
      for (const owned of [...partitions.values()])
        if (owned.topic === topic) partitions.set(keyOf(owned), { ...anew(owned), isReplaced: true });
    },
    fill(owned, { runs, next, epoch: leaderEpoch }) {
      const { topic, partition, epoch } = owned;
      const log = owned.log === null ? null : nameOfLog(owned.log);
      let at = owned.next!;
      for (const run of runs) {
        if (run.first > at) owned.skips.set(at, run.first);
        const ack = ackOf({ topic, partition, epoch, last: run.last });
        owned.ready.push({ ...(log !== null && { log }), topic, partition, epoch, ...run, ack });
        owned.readyBytes += run.ndjson.length;
        at = run.last + 1;
      }
      if (next > at) owned.skips.set(at, next);
      if (next > owned.next!) toTheEnd(owned);
      owned.next = next;
      if (leaderEpoch >= 0) owned.readEpoch = leaderEpoch;
      const finished = owned.finished;
      return passSkips(owned) > finished ? owned.finished : null;
    },
    finish(owned, last) {
      owned.finished = Math.max(owned.finished, last + 1);
      return passSkips(owned);
    },
    take({ paused, bytesMax }) {
      const taken: PositionedBatch[] = [];
      let bytes = 0;
      for (const owned of [...partitions.values()]) {
        if (paused.has(owned.topic)) continue;
        let count = 0;
        for (; count < owned.ready.length; count++) {
          const size = owned.ready[count]!.ndjson.length;
          if (taken.length > 0 && bytes + size > bytesMax) break;
          taken.push(owned.ready[count]!);
          bytes += size;
          owned.readyBytes -= size;
        }
        if (count === 0) continue;
        owned.ready = owned.ready.slice(count);
        toTheEnd(owned);
      }
      return taken;
    },
    readyBytes(paused) {
      let bytes = 0;
      for (const owned of partitions.values()) if (!paused.has(owned.topic)) bytes += owned.readyBytes;
      return bytes;
    },
    lag() {
      const lag = new Map<string, number>();
      const unknown = new Set<string>();
      for (const { topic, next, finished, highWatermark } of partitions.values()) {
        if (next === null || highWatermark === null) unknown.add(topic);
        else lag.set(topic, (lag.get(topic) ?? 0) + Math.max(0, highWatermark - finished));
      }
      for (const topic of unknown) lag.delete(topic);
      return lag;
    },
  };
}

/** What an ack of this source is: everything up to `last` is finished that was read under this ownership. */
export interface Finished extends TopicPartition {
  readonly epoch: number;
  readonly last: number;
}

export const ackOf = (finished: Finished): Ack => finished as unknown as Ack;
export const finishedOf = (ack: Ack): Finished => ack as unknown as Finished;

/** What a commit and a line of the log say of it. */
export const placeOf = ({ topic, partition, epoch, log, readEpoch }: Owned) => ({
  topic,
  partition,
  epoch,
  log,
  readEpoch,
});
