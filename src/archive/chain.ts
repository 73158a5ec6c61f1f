// One partition of a log, as one process archives it: gathered → plan → files → entry → position.
//
// - Where it goes on is read from the manifest, not from the log's own position: what is archived already is passed.
// - Every step finds what it has done before, or another in its place, and goes on from there: it may die, or be stopped,
//   between any two of them.
// - The log's own position moves last, and only to what entries have.
// - It does one thing at a time; what comes meanwhile is gathered.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';
import type { ColdStore } from '../ports/cold-store.ts';
import type { RowFormat } from '../ports/row-format.ts';
import type { Ack } from '../ports/source.ts';
import type { TableDefinition } from '../ports/tables.ts';
import { byDay } from './days.ts';
import { deadType } from './dead.ts';
import { type Encode, filesOf, keep, removeStrays } from './files.ts';
import type { ArchivedFile, Chain, Entry, Plan } from './manifest.ts';
import { cut, type Piece } from './pieces.ts';
import { lastEntry, openPlan, settleEntry, settlePlan } from './records.ts';

export interface ChainOptions {
  readonly chain: Chain;
  readonly store: ColdStore;
  /** Of the settings, and all there are, by which a plan of others is carried out. */
  readonly formats: readonly RowFormat[];
  readonly everyFormat: readonly RowFormat[];
  readonly definitionOf: (type: string) => TableDefinition | undefined;
  readonly encode: Encode;
  readonly rejudge: (piece: Piece) => Piece;
  readonly commit: (ack: Ack) => Promise<void>;
  /** Every position has a record, unless it was deleted: what is not there is missing. */
  readonly isDense: boolean;
  readonly by: string;
  readonly now: () => number;
  readonly onEntry: (entry: Entry, isOurs: boolean) => void;
}

export interface OpenChain {
  readonly chain: Chain;
  readonly gathered: Gathered;
  /** Takes what follows the last one. */
  add(piece: Piece): void;
  /**
   * Takes one step: learns where it goes on, or with `mayClose` makes an entry of what is gathered. False: there is nothing
   * to do for now. Rejects when the store or the log does not do its part, and goes on with the next call.
   */
  step(mayClose: boolean, signal: AbortSignal): Promise<boolean>;
  /** Whether such a step has something to do. Cheap. */
  hasWork(mayClose: boolean): boolean;
  /** There is a plan of another up to a place that has not come yet. */
  readonly isShort: boolean;
}

export interface Gathered {
  readonly bytes: number;
  readonly events: number;
  /** When the first of it was taken in, or null. */
  readonly sinceMs: number | null;
  /** When the edge took the oldest of the first batch, or null. */
  readonly oldestAtMs: number | null;
}

export function openChain(options: ChainOptions): OpenChain {
  const { chain, store, isDense, now } = options;
  let pieces: { readonly piece: Piece; readonly atMs: number }[] = [];
  let bytes = 0;
  let events = 0;
  /** Where the next entry begins; null: not known yet. */
  let next: number | null = null;
  let plan: Plan | null = null;
  /** Of the last batch that is archived and not committed. */
  let owed: Ack | null = null;

  const setPieces = (kept: typeof pieces): void => {
    pieces = kept;
    bytes = kept.reduce((sum, { piece }) => sum + piece.bytes, 0);
    events = kept.reduce((sum, { piece }) => sum + countOf(piece), 0);
  };

  /** Up to and with a position they are in entries. */
  function pass(last: number): void {
    const kept: typeof pieces = [];
    for (const { piece, atMs } of pieces) {
      const [before, after] = cut(piece, last);
      if (before !== null && after === null) owed = piece.batch.ack;
      if (after !== null) kept.push({ piece: after, atMs });
    }
    setPieces(kept);
  }

  async function learn(signal: AbortSignal): Promise<void> {
    const last = await lastEntry(store, chain, signal);
    // Who died behind its entry may have left files that it does not name.
    if (last !== null) await removeStrays(store, last, [], signal);
    const from = last === null ? 0 : last.last + 1;
    plan = await openPlan(store, chain, from, signal);
    next = from;
    pass(from - 1);
  }

  async function commitOwed(): Promise<void> {
    if (owed === null) return;
    const ack = owed;
    await options.commit(ack);
    if (owed === ack) owed = null;
  }

  const reaches = (border: number): boolean => (pieces.at(-1)?.piece.last ?? -1) >= border;

  async function close(first: number, signal: AbortSignal): Promise<boolean> {
    const last = pieces.at(-1)?.piece.last;
    if (last === undefined) return false;
    plan ??= await settlePlan(
      store,
      { ...chain, first, last, formats: options.formats.map(({ name }) => name) },
      signal,
    );
    if (!reaches(plan.last)) return false;
    const entry = await archive(plan, signal);
    next = entry.last + 1;
    plan = null;
    pass(entry.last);
    return true;
  }

  /** Between pieces others have their turn: each record is judged, of a hundred megabytes. */
  async function rejudged(taken: readonly Piece[]): Promise<readonly Piece[]> {
    const again: Piece[] = [];
    for (const piece of taken) {
      again.push(options.rejudge(piece));
      await nextTurn();
    }
    return again;
  }

  /** The entry that holds in the end, with its files. */
  async function archive(of: Plan, signal: AbortSignal): Promise<Entry> {
    const taken = pieces.flatMap(({ piece }) => cut(piece, of.last)[0] ?? []);
    const files = await written(of, taken, signal).catch(async error => {
      if (error instanceof PipelineError) throw error;
      return written(of, await rejudged(taken), signal);
    });
    const oneOfEach = files.filter(({ format }) => format === of.formats[0]);
    const rowsOf = (isWanted: (type: string) => boolean): number =>
      oneOfEach.reduce((sum, { type, rows }) => sum + (isWanted(type) ? rows : 0), 0);
    const mine: Entry = {
      ...of,
      records: rowsOf(() => true),
      dead: rowsOf(type => type === deadType),
      missing: isDense ? missingIn(of, taken) : [],
      files,
      by: options.by,
      at: new Date(now()).toISOString(),
    };
    const entry = await settleEntry(store, mine, signal);
    const isOurs = entry === mine;
    await removeStrays(store, entry, isOurs ? [] : files, signal);
    options.onEntry(entry, isOurs);
    return entry;
  }

  async function written(of: Plan, taken: readonly Piece[], signal: AbortSignal): Promise<ArchivedFile[]> {
    const formats = of.formats.map(name => options.everyFormat.find(format => format.name === name)!);
    const { definitionOf, encode } = options;
    const files: ArchivedFile[] = [];
    for await (const file of filesOf({ plan: of, days: await byDay(taken), formats, definitionOf, encode })) {
      await keep(store, file, signal);
      const { content: _, ...named } = file;
      files.push(named);
    }
    return files;
  }

  return {
    chain,
    get gathered() {
      return {
        bytes,
        events,
        sinceMs: pieces[0]?.atMs ?? null,
        oldestAtMs: pieces[0]?.piece.batch.oldestAtMs ?? null,
      };
    },
    get isShort() {
      return plan !== null && !reaches(plan.last);
    },
    add: piece => {
      const [, rest] = next === null ? [null, piece] : cut(piece, next - 1);
      if (rest === null) {
        owed = piece.batch.ack;
        return;
      }
      pieces.push({ piece: rest, atMs: now() });
      bytes += rest.bytes;
      events += countOf(rest);
    },
    hasWork: mayClose =>
      next === null || owed !== null || (plan === null ? mayClose && pieces.length > 0 : reaches(plan.last)),
    async step(mayClose, signal) {
      if (next === null) {
        await learn(signal);
        return true;
      }
      const didClose = (mayClose || (plan !== null && reaches(plan.last))) && (await close(next, signal));
      await commitOwed();
      return didClose;
    },
  };
}

const countOf = ({ first, last }: Piece): number => last - first + 1;

/** Where nothing was between a plan's borders. */
function missingIn(
  { first, last }: Plan,
  taken: readonly Piece[],
): { readonly first: number; readonly last: number }[] {
  const missing: { readonly first: number; readonly last: number }[] = [];
  let next = first;
  for (const piece of taken) {
    if (piece.first > next) missing.push({ first: next, last: piece.first - 1 });
    next = piece.last + 1;
  }
  if (next <= last) missing.push({ first: next, last });
  return missing;
}
