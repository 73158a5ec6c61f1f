// What was tracked and no answer has told of yet, in order, in memory and as far as it can be on disk. Bounded: beyond so many
// events or characters the oldest goes, and is told of.

import type { Kept, Store } from './store.ts';

/** Characters of JSON: of all that waits, and of one request. */
const charsMax = 1_048_576;
const batchCharsMax = 200_000;
/** Bytes: of the 64 KiB a page may have under way when it goes, with room for what the page itself sends. */
const beaconBytesMax = 48_000;

export interface Queue {
  readonly size: number;
  add(kept: Kept): void;
  /** The oldest, at most so many. */
  batch(eventsMax: number): readonly Kept[];
  /** What no beacon has taken, as much as one takes. */
  beacon(): readonly Kept[];
  /** It is told of: nobody need send it any more. */
  done(kept: Kept): void;
  /** Takes over what dead pages have left. False: look again, others hold some and may die. */
  gather(): boolean;
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
  let waiting: Kept[] = [];
  let chars = 0;

  const push = (kept: Kept): void => {
    waiting.push(kept);
    chars += kept.json.length;
  };
  const done = (kept: Kept): void => {
    store.remove(kept.id);
    if (!waiting.includes(kept)) return;
    waiting.splice(waiting.indexOf(kept), 1);
    chars -= kept.json.length;
  };
  const restart = (held: readonly Kept[]): void => {
    waiting = [];
    chars = 0;
    held.forEach(push);
  };
  return {
    get size() {
      return waiting.length;
    },
    add(kept) {
      if (kept.json.length > charsMax) return drop(kept, 'too_large');
      push(kept);
      while (waiting.length > eventsMax || chars > charsMax) {
        const oldest = waiting[0]!;
        done(oldest);
        drop(oldest, 'queue_full');
      }
      kept.onDisk = store.put(kept);
    },
    batch(max) {
      let chars = 0;
      const end = waiting.findIndex(({ json }, at) => {
        chars += json.length;
        return at === max || (at > 0 && chars > batchCharsMax);
      });
      return waiting.slice(0, end < 0 ? waiting.length : end);
    },
    beacon() {
      let room = beaconBytesMax;
      return waiting.filter(kept => {
        const bytes = new TextEncoder().encode(kept.json).length + 1;
        const fits = !kept.isBeaconed && bytes <= room;
        if (fits) room -= bytes;
        return fits;
      });
    },
    done,
    gather() {
      if (waiting.length && !store.renew()) {
        // Taken for dead: what others have is theirs, the rest is kept anew.
        restart(waiting.filter(kept => !kept.onDisk || !store.isElsewhere(kept.id)));
        for (const kept of waiting) kept.onDisk = store.put(kept);
      }
      const { adopted, awaits } = store.adopt(eventsMax - waiting.length, charsMax - chars);
      adopted.forEach(push);
      return !awaits;
    },
    release() {
      store.release();
      restart(waiting.filter(kept => !kept.onDisk));
    },
    clear() {
      for (const kept of [...waiting]) done(kept);
    },
  };
}
