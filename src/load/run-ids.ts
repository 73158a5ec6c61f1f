// Ids of a run: UUIDv7 that begin with the run's own time and randomness and end with the event's number in it. So the rows of
// a run are told from all others by their first ten bytes, and what became of each event is one bit, however many there are.

/** The last six bytes are the number of the event: 2^48 of them, and no run asks for more than 2^32. */
export interface RunIds {
  /** The first ten bytes as hex, twenty digits. */
  readonly prefix: string;
  idOf(serial: number): string;
}

export const serialMax = 2 ** 32 - 1;

/** `startedAtMs` is what UUIDv7 begins with (RFC 9562 §5.7); `salt` are 26 bits that tell runs of one millisecond apart. */
export function runIds(startedAtMs: number, salt: number): RunIds {
  const time = startedAtMs.toString(16).padStart(12, '0');
  const a = (0x7000 | (salt & 0xfff)).toString(16);
  const b = (0x8000 | ((salt >>> 12) & 0x3fff)).toString(16);
  const head = `${time.slice(0, 8)}-${time.slice(8)}-${a}-${b}-`;
  return { prefix: `${time}${a}${b}`, idOf: serial => head + serial.toString(16).padStart(12, '0') };
}

/** A set of serials: a bit each, which grows as it must. */
export interface Serials {
  add(serial: number): void;
  has(serial: number): boolean;
  readonly size: number;
}

export function serials(): Serials {
  let bits = new Uint32Array(1 << 15);
  let size = 0;
  const has = (serial: number): boolean => ((bits[serial >>> 5] ?? 0) & (1 << (serial & 31))) !== 0;
  return {
    get size() {
      return size;
    },
    has,
    add(serial) {
      const at = serial >>> 5;
      if (at >= bits.length) {
        const wider = new Uint32Array(Math.max(at + 1, bits.length * 2));
        wider.set(bits);
        bits = wider;
      }
      if (has(serial)) return;
      bits[at]! |= 1 << (serial & 31);
      size++;
    },
  };
}
