// Records of one partition, as they are scanned, gathered into runs: gapless in offsets, of one event type and schema
// version, of bounded size, their bytes side by side in one buffer. What makes an event the edge's own is looked at here.

import { readStamp, type Stamp, stampAt, stampLengthMax, stampStart, stampText } from './stamp.ts';

export interface Run {
  readonly type: string | null;
  readonly version?: number;
  /** Offsets. last - first + 1 = count. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly oldestAtMs: number;
  readonly ndjson: Uint8Array;
  readonly form?: 'raw' | 'null';
  /** What some of its records carry. */
  readonly traceparents?: readonly string[];
}

/** One run is no more than this, so that a block of rows can be closed near its bounds. */
const runBytesMax = 2 ** 20;
const runRecordsMax = 10_000;

/** One that records are still added to. */
export interface OpenRun {
  stamp: Stamp | null;
  first: number;
  count: number;
  bytes: Buffer;
  start: number;
  end: number;
  oldestAtMs: number;
  form: 'raw' | 'null' | undefined;
  traceparents: readonly string[] | undefined;
}

interface Scanning {
  readonly stamp: Stamp | null;
  readonly isLine: boolean;
  readonly bytes: Buffer;
  readonly out: number;
  readonly size: number;
}

export type Runs = ReturnType<typeof runsInto>;

/** Runs in the order of their records: `at` gives the run the next one belongs to, `finish` all of them. */
export function runsInto() {
  const done: Run[] = [];
  let open: OpenRun | null = null;
  /** The last one met, and its bytes: records of a type come together. */
  let known: Stamp | null = null;
  let knownBytes = Buffer.from(stampText({ type: '', version: 0 }));

  function flush(): void {
    if (open === null) return;
    const { stamp, first, count, bytes, start, end, form, traceparents } = open;
    const oldestAtMs = open.oldestAtMs >= 0 ? open.oldestAtMs : Date.now(); // -1 = the producer did not say
    const ndjson = bytes.subarray(start, end);
    done.push({
      type: stamp?.type ?? null,
      ...(stamp && { version: stamp.version }),
      first,
      last: first + count - 1,
      count,
      oldestAtMs,
      ndjson,
      ...(form && { form }),
      ...(traceparents && { traceparents }),
    });
    open = null;
  }

  return {
    /** As it is now, for `undo`. */
    mark: () => ({ length: done.length, last: open === null ? null : { ...open } }),
    undo(mark: { readonly length: number; readonly last: OpenRun | null }): void {
      done.length = mark.length;
      open = mark.last;
    },
    finish(): readonly Run[] {
      flush();
      return done;
    },
    /** The edge's stamp in front of a value, or null; the same object for as long as it stays the same. */
    stampOf(bytes: Buffer, from: number, to: number): Stamp | null {
      const at = from + stampAt;
      if (at + knownBytes.length <= to && isAt(bytes, at, knownBytes) && isAt(bytes, from, start)) return known;
      if (!isAt(bytes, from, start)) return null;
      const stamp = readStamp(bytes.toString('latin1', at, Math.min(at + stampLengthMax, to)));
      if (stamp === null) return null;
      known = stamp;
      knownBytes = Buffer.from(stampText(stamp));
      return stamp;
    },
    /** The run a record belongs to. */
    at(offset: number, { stamp, isLine, bytes, out, size }: Scanning): OpenRun {
      if (
        open === null ||
        open.stamp !== stamp ||
        open.bytes !== bytes ||
        open.first + open.count !== offset ||
        !isLine ||
        open.form !== undefined ||
        open.count >= runRecordsMax ||
        out - open.start + size >= runBytesMax
      ) {
        flush();
        open = {
          stamp,
          first: offset,
          count: 0,
          bytes,
          start: out,
          end: out,
          oldestAtMs: Number.POSITIVE_INFINITY,
          form: undefined,
          traceparents: undefined,
        };
      }
      return open;
    },
  };
}

const start = Buffer.from(stampStart);

/** Beyond the end nothing is equal. */
function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}
