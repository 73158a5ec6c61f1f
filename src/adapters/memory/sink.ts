// The Sink contract in a few maps, for unit tests: honest where ClickHouse is (all rows or none, a token stores once, one
// row per event_id, dead letters told apart by their coordinates), and it fails on demand, before or after the rows are
// stored. Nothing is retried and nothing survives the process.

import assert from 'node:assert/strict';
import { PipelineError } from '../../errors.ts';
import type { DeadLetter, RowBlock, SinkWithDeadLetters } from '../../ports/sink.ts';

export type StoredRow = Readonly<Record<string, unknown>> & { readonly event_id: string };

export type SinkCall = 'prepare' | 'insert' | 'check' | 'deadLetter';

export interface Failing {
  readonly error: PipelineError;
  /** Only calls for this event type; dead letters have none. */
  readonly type?: string;
  /** The work is done, only the answer is lost. */
  readonly isStored?: boolean;
}

/** An insert that arrived, whatever became of it. */
export interface Attempt {
  readonly type: string;
  readonly token: string;
  readonly ids: readonly string[];
}

export interface MemorySink extends SinkWithDeadLetters {
  /** Rows of one type by event_id. Of two rows with one event_id the first stays. */
  rows(type: string): ReadonlyMap<string, StoredRow>;
  letters(): readonly DeadLetter[];
  attempts(): readonly Attempt[];
  /** Calls that have not been answered yet. */
  inFlight(): number;
  isClosed(): boolean;
  /** One call to come fails; told several times, as many calls in that order. */
  failNext(call: SinkCall, failing: Failing): void;
  /** Inserts and checks of the type fail until told otherwise. */
  halt(type: string, error: PipelineError): void;
  resume(type: string): void;
  /** Inserts of the type wait, until the function returned is called or their signal aborts. */
  hold(type: string): () => void;
}

export interface MemorySinkOptions {
  /** Why the engine would not take a row, or null. A line that is no row is refused without being asked. */
  readonly refuse?: (row: StoredRow, type: string) => string | null;
}

export function memorySink({ refuse = () => null }: MemorySinkOptions = {}): MemorySink {
  const tables = new Map<string, Map<string, StoredRow>>();
  const tokens = new Set<string>();
  const letters = new Map<string, DeadLetter>();
  const attempts: Attempt[] = [];
  const failures: (Failing & { readonly call: SinkCall })[] = [];
  const halts = new Map<string, PipelineError>();
  const holds = new Map<string, Promise<void>>();
  let calls = 0;
  let closed = false;

  return {
    title: 'Memory',
    prepare: () => called('prepare', undefined, () => {}),
    insert: (block, token, signal) => {
      const parsed = parse(block);
      attempts.push({ type: block.type, token, ids: parsed.rows.map(row => row.event_id) });
      return called('insert', block.type, async () => {
        if (holds.has(block.type)) await until(holds.get(block.type)!, signal);
        if (signal.aborted) throw new PipelineError('sink_unknown', 'the insert was given up');
        if (tokens.has(token)) return;
        if (parsed.refusal !== null) throw parsed.refusal;
        tokens.add(token);
        for (const row of parsed.rows) setOnce(tableOf(block.type), row.event_id, row);
      });
    },
    check: (block, signal) =>
      called('check', block.type, () => {
        if (signal.aborted) throw new PipelineError('sink_unknown', 'the check was given up');
        return parse(block).refusal;
      }),
    deadLetter: (given, signal) =>
      called('deadLetter', undefined, () => {
        if (signal.aborted) throw new PipelineError('sink_unknown', 'the dead letters were given up');
        for (const letter of given) setOnce(letters, keyOf(letter), letter);
      }),
    close: async () => {
      closed = true;
    },
    rows: tableOf,
    letters: () => [...letters.values()],
    attempts: () => attempts,
    inFlight: () => calls,
    isClosed: () => closed,
    failNext: (call, failing) => void failures.push({ ...failing, call }),
    halt: (type, error) => void halts.set(type, error),
    resume: type => void halts.delete(type),
    hold: type => {
      const { promise, resolve } = Promise.withResolvers<void>();
      holds.set(type, promise);
      return () => {
        holds.delete(type);
        resolve();
      };
    },
  };

  /** Runs one call with the failure that was ordered for it: before anything is stored, or right after. */
  async function called<T>(call: SinkCall, type: string | undefined, work: () => T | Promise<T>): Promise<T> {
    assert(!closed, 'a sink is not used after close');
    calls++;
    try {
      await null; // never within the caller's turn, as over a network
      const halt = type === undefined ? undefined : halts.get(type);
      if (halt !== undefined) throw halt;
      const at = failures.findIndex(failing => failing.call === call && (failing.type ?? type) === type);
      const [failing] = at < 0 ? [] : failures.splice(at, 1);
      if (failing !== undefined && failing.isStored !== true) throw failing.error;
      const result = await work();
      if (failing !== undefined) throw failing.error;
      return result;
    } finally {
      calls--;
    }
  }

  function tableOf(type: string): Map<string, StoredRow> {
    const table = tables.get(type) ?? new Map<string, StoredRow>();
    tables.set(type, table);
    return table;
  }

  function parse({ type, rows: count, chunks }: RowBlock): { rows: StoredRow[]; refusal: PipelineError | null } {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    assert(text.endsWith('\n'), 'each row ends its line');
    const lines = text.slice(0, -1).split('\n');
    assert.equal(lines.length, count, 'a block has as many lines as it says rows');
    const rows: StoredRow[] = [];
    for (const [at, line] of lines.entries()) {
      const row = rowOf(line);
      const why = row === null ? 'not a row' : refuse(row, type);
      if (row === null || why !== null)
        return { rows, refusal: new PipelineError('sink_refused', `row ${at + 1}: ${why}`) };
      rows.push(row);
    }
    return { rows, refusal: null };
  }
}

function setOnce<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (!map.has(key)) map.set(key, value);
}

function rowOf(line: string): StoredRow | null {
  try {
    const row: unknown = JSON.parse(line);
    const isRow = typeof row === 'object' && row !== null && 'event_id' in row && typeof row.event_id === 'string';
    return isRow ? (row as StoredRow) : null;
  } catch {
    return null;
  }
}

const keyOf = ({ topic, partition, position, index }: DeadLetter): string =>
  `${topic}/${partition}/${position}/${index}`;

/** Resolves with `promise`, or once the signal aborts. */
function until(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    void promise.then(end);
  });
}
