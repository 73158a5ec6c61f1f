// The different values of a column, as the bytes they came as, in order of their first coming: an open hash table over
// one array of bytes. Looking up a value allocates nothing.

import { bytesOf, numbersOf, push, room } from '../../record/growing.ts';

/** Beyond either a dictionary saves nothing worth its time. Indexes into it are at most 16 bits wide. */
const entriesMax = 65_536;
const bytesMax = 1_048_576;

export interface Dictionary {
  /** Which one it is, added if it is new; -1 = it is new, and there is no room for it. */
  indexOf(source: Uint8Array, from: number, to: number): number;
  readonly size: number;
  /** All entries one after another, and where each begins (and the last ends). */
  readonly bytes: Uint8Array;
  readonly starts: Int32Array;
}

export function dictionary(): Dictionary {
  const bytes = bytesOf(4_096);
  const starts = numbersOf(1_024);
  push(starts, 0);
  const hashes = numbersOf(1_024);
  /** Index + 1; 0 = free. Twice as many slots as entries, at least. */
  let slots = new Int32Array(2_048);

  const isAt = (entry: number, source: Uint8Array, from: number, to: number): boolean => {
    const start = starts.numbers[entry] as number;
    if ((starts.numbers[entry + 1] as number) - start !== to - from) return false;
    const known = bytes.bytes;
    for (let i = from, j = start; i < to; i++, j++) if (source[i] !== known[j]) return false;
    return true;
  };

  const grow = (): void => {
    const mask = slots.length * 2 - 1;
    const larger = new Int32Array(slots.length * 2);
    for (let entry = 0; entry < hashes.length; entry++) {
      let slot = (hashes.numbers[entry] as number) & mask;
      while (larger[slot] !== 0) slot = (slot + 1) & mask;
      larger[slot] = entry + 1;
    }
    slots = larger;
  };

  return {
    indexOf(source, from, to) {
      const hash = hashOf(source, from, to);
      const mask = slots.length - 1;
      let slot = hash & mask;
      for (let entry = slots[slot] as number; entry !== 0; entry = slots[slot] as number) {
        if (hashes.numbers[entry - 1] === hash && isAt(entry - 1, source, from, to)) return entry - 1;
        slot = (slot + 1) & mask;
      }
      if (hashes.length >= entriesMax || bytes.length + to - from > bytesMax) return -1;
      room(bytes, to - from).set(source.subarray(from, to), bytes.length);
      bytes.length += to - from;
      push(starts, bytes.length);
      push(hashes, hash);
      slots[slot] = hashes.length;
      if (hashes.length * 2 > slots.length) grow();
      return hashes.length - 1;
    },
    get size() {
      return hashes.length;
    },
    get bytes() {
      return bytes.bytes;
    },
    get starts() {
      return starts.numbers;
    },
  };
}

/** FNV-1a, its bits mixed once more: slots are its lowest bits. */
function hashOf(source: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (source[i] as number), 0x01000193);
  return hash ^ (hash >>> 15);
}
