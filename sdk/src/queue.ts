// What was tracked and no answer has told of yet, in order, in memory and as far as it can be on disk. Bounded: beyond so many
// events or characters the oldest goes, and is told of.

import type { Kept, Store } from './store.ts';

/** Of JSON. */
const charsMax = 1_048_576;
/** Bytes: of the 64 KiB a page may have under way when it goes, with room for what the page itself sends. */
const beaconBytesMax = 48_000;

export interface Queue {
  add(kept: Kept): void;
  /** The oldest, at most so many. */
  batch(eventsMax: number): readonly Kept[];
  /** What no beacon has taken, as much as one takes. */
  beacon(): readonly Kept[];
  /** It is told of: nobody need send it any more. */
  done(kept: Kept): void;
  /** Says that this page lives, and takes over what the dead have left. */
  gather(): void;
  /** The page goes: what is on disk is the next one's. */
  release(): void;
  clear(): void;
}

export interface QueueOptions {
  readonly store: Store;
  readonly eventsMax: number;
  readonly drop: (kept: Kept, why: string) => void;
}

export function queueOf({ store, eventsMax, drop }: QueueOptions): Queue {
  let waiting: readonly Kept[] = [];

  const chars = (): number => waiting.reduce((sum, { eventJson }) => sum + eventJson.length, 0);
  const done = (kept: Kept): void => {
    waiting = waiting.filter(other => other !== kept);
    store.remove(kept.id);
  };
  const write = (kept: Kept): void => {
    kept.onDisk = store.put(kept);
  };
  const keep = (kept: Kept): void => {
    waiting = [...waiting, kept];
    write(kept);
  };

  return {
    add(kept) {
      if (kept.eventJson.length > charsMax) return drop(kept, 'too_large');
      // Room first: a full storage would refuse it.
      for (
        let oldest = waiting[0];
        oldest && (waiting.length >= eventsMax || chars() + kept.eventJson.length > charsMax);
        oldest = waiting[0]
      ) {
        done(oldest);
        drop(oldest, 'queue_full');
      }
      keep(kept);
    },
    batch: max => waiting.slice(0, max),
    beacon() {
      let room = beaconBytesMax;
      return waiting.filter(({ isBeaconed, eventJson }) => {
        const bytes = new Blob([eventJson]).size + 1;
        if (isBeaconed || bytes > room) return false;
        room -= bytes;
        return true;
      });
    },
    done,
    gather() {
      if (waiting[0] && !store.renew()) {
        // Taken for dead: what others have is theirs, the rest is kept anew.
        waiting = waiting.filter(({ id }) => !store.isElsewhere(id));
        waiting.forEach(write);
      }
      store.adopt(() => waiting.length < eventsMax && chars() < charsMax, keep);
    },
    release() {
      store.release();
      waiting = waiting.filter(({ onDisk }) => !onDisk);
    },
    clear: () => waiting.forEach(done),
  };
}
