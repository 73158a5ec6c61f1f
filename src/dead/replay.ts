// Dead letters once more through the judge, and into their tables what now fits. A letter is marked only after its row is
// stored, and its row has the same event_id each time: replaying twice, or half, or beside the mover, makes one row.

import { PipelineError } from '../errors.ts';
import type { FoundLetter, LetterSelection, Letters } from '../ports/letters.ts';
import type { RowBlock, SinkWithDeadLetters } from '../ports/sink.ts';
import type { JudgeForeign } from '../ports/source.ts';
import { isPlaceOfBytes } from '../record/place.ts';

export interface ReplayOptions {
  readonly letters: Letters;
  readonly sink: SinkWithDeadLetters;
  readonly judge: JudgeForeign;
  readonly filter: Omit<LetterSelection, 'state' | 'after'>;
  /** Judges, and asks ClickHouse whether it would take the rows; stores nothing. */
  readonly dryRun: boolean;
  readonly onProgress?: (done: number) => void;
  /** Of each that stays, by today's reason. */
  readonly onStays?: (letter: FoundLetter, reason: string) => void;
}

export interface Replayed {
  readonly looked: number;
  /** Rows there are now, or with `dryRun` would be, by event type. */
  readonly rows: ReadonlyMap<string, number>;
  /** What stays a dead letter, by today's reason. */
  readonly stays: ReadonlyMap<string, number>;
}

/** Letters looked at together; each may be megabytes. */
const pageLetters = 200;

/** Rejects with the sink's errors; what was replayed until then is marked. */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { letters, filter, dryRun, onProgress, onStays } = options;
  const rows = new Map<string, number>();
  const stays = new Map<string, number>();
  let looked = 0;
  let after: FoundLetter | undefined;
  for (;;) {
    const page = await letters.find({ ...filter, after, limit: pageLetters });
    const judged = page.map(letter => ({ letter, verdict: judgeLetter(letter, options.judge) }));
    const byType = new Map<string, Fitting[]>();
    for (const { letter, verdict } of judged)
      if (verdict.ok) addTo(byType, verdict.type, { letter, line: Buffer.from(`${verdict.body}\n`) });
      else {
        count(stays, verdict.reason);
        onStays?.(letter, verdict.reason);
      }
    for (const [type, fitting] of byType) {
      const stored = await store(type, fitting, options);
      if (!dryRun) await letters.markReplayed(stored, Date.now());
      count(rows, type, stored.length);
      count(stays, 'refused', fitting.length - stored.length);
      if (onStays !== undefined && stored.length < fitting.length)
        for (const { letter } of fitting) if (!stored.includes(letter)) onStays(letter, 'refused');
    }
    looked += page.length;
    onProgress?.(looked);
    after = page.at(-1);
    if (page.length < pageLetters) return { looked, rows, stays };
  }
}

interface Fitting {
  readonly letter: FoundLetter;
  readonly line: Uint8Array;
}

function judgeLetter(letter: FoundLetter, judge: JudgeForeign) {
  const { reason, raw, atMs } = letter;
  // As the mover would judge it when it came again: a hash is no position.
  const position = isPlaceOfBytes(letter, raw) ? null : letter.position;
  return judge({ position, atMs, value: reason === 'tombstone' ? null : raw }, letter);
}

/** Those ClickHouse took, all at once where it can be. */
async function store(type: string, fitting: readonly Fitting[], options: ReplayOptions): Promise<FoundLetter[]> {
  if (await isTaken(type, fitting, options)) return fitting.map(({ letter }) => letter);
  if (fitting.length === 1) return [];
  const middle = fitting.length >> 1;
  return [
    ...(await store(type, fitting.slice(0, middle), options)),
    ...(await store(type, fitting.slice(middle), options)),
  ];
}

/** False when ClickHouse refuses the rows themselves; everything else is thrown. */
async function isTaken(type: string, fitting: readonly Fitting[], { sink, dryRun }: ReplayOptions): Promise<boolean> {
  const block: RowBlock = { type, rows: fitting.length, chunks: fitting.map(({ line }) => line) };
  const never = new AbortController().signal;
  if (dryRun) return (await sink.check(block, never)) === null;
  try {
    await sink.insert(block, `replay-${Bun.randomUUIDv7()}`, never);
    return true;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'sink_refused') return false;
    throw error;
  }
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function count(counts: Map<string, number>, key: string, by = 1): void {
  if (by > 0) counts.set(key, (counts.get(key) ?? 0) + by);
}
