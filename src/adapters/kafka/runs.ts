// Records of one partition, as they are scanned, gathered into runs: gapless in offsets, of one event type, of bounded size,
// their bytes side by side in one buffer. What makes an event the edge's own is looked at here.

export interface Run {
  readonly type: string | null;
  /** Offsets. last - first + 1 = count. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly oldestAtMs: number;
  readonly ndjson: Uint8Array;
  readonly form?: 'raw' | 'null';
}

/** One run is no more than this, so that a block of rows can be closed near its bounds. */
const runBytesMax = 2 ** 20;
const runRecordsMax = 10_000;

interface OpenRun {
  type: string | null;
  first: number;
  count: number;
  bytes: Buffer;
  start: number;
  end: number;
  oldestAtMs: number;
  form: 'raw' | 'null' | undefined;
}

interface Scanning {
  readonly type: string | null;
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
  let stamp = stampOf('');

  function flush(): void {
    if (open === null) return;
    const { type, first, count, bytes, start, end, form } = open;
    const oldestAtMs = open.oldestAtMs >= 0 ? open.oldestAtMs : Date.now(); // -1 = the producer did not say
    const ndjson = bytes.subarray(start, end);
    done.push({ type, first, last: first + count - 1, count, oldestAtMs, ndjson, ...(form && { form }) });
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
    /** The event type in the edge's stamp, or null. */
    typeOf(bytes: Buffer, from: number, to: number): string | null {
      if (!isAt(bytes, from, head) || to - from < stampBytesMin) return null;
      const at = from + head.length + idLength;
      if (isAt(bytes, at, stamp.bytes)) return stamp.type;
      if (!isAt(bytes, at, beforeType)) return null;
      const start = at + beforeType.length;
      const quote = bytes.indexOf(0x22, start);
      const type = bytes.toString('latin1', start, Math.min(quote, start + typeLengthMax));
      if (!namePattern.test(type) || !isAt(bytes, start + type.length, afterType)) return null;
      if (start + type.length + afterType.length > to) return null;
      stamp = stampOf(type);
      return type;
    },
    /** The run a record belongs to. */
    at(offset: number, { type, isLine, bytes, out, size }: Scanning): OpenRun {
      if (
        open === null ||
        open.type !== type ||
        open.bytes !== bytes ||
        open.first + open.count !== offset ||
        !isLine ||
        open.form !== undefined ||
        open.count >= runRecordsMax ||
        out - open.start + size >= runBytesMax
      ) {
        flush();
        open = {
          type,
          first: offset,
          count: 0,
          bytes,
          start: out,
          end: out,
          oldestAtMs: Number.POSITIVE_INFINITY,
          form: undefined,
        };
      }
      return open;
    },
  };
}

// The edge's stamp, src/ingest/judge.ts: an event of anybody else may have an id and a type, but not the rest.
const head = Buffer.from('{"event_id":"');
const idLength = 36;
const beforeType = Buffer.from('","event_type":"');
const afterType = Buffer.from('","schema_version":');
const stampBytesMin = head.length + idLength + beforeType.length + 1 + afterType.length;
const typeLengthMax = 128;
const namePattern = /^[a-z0-9_]+$/i;

const stampOf = (type: string) => ({ type, bytes: Buffer.concat([beforeType, Buffer.from(type), afterType]) });

/** Beyond the end nothing is equal. */
function isAt(bytes: Buffer, at: number, wanted: Buffer): boolean {
  for (let index = 0; index < wanted.length; index++) if (bytes[at + index] !== wanted[index]) return false;
  return true;
}
