// What is gathered: runs of the log, each judged where an edge of this version has not written it, and cut where a border
// falls into one.
//
// - Bytes of our own edge pass as they are.
// - What a newer ugc wrote, or is of a type that may yet become known, is no piece: its topic is read no further.

import { messageOf, PipelineError } from '../errors.ts';
import type { Batch, ForeignVerdict, JudgeForeign } from '../ports/source.ts';
import { linesOf } from '../record/lines.ts';
import { newerThan } from '../record/stamp.ts';
import { deadBody, deadType } from './dead.ts';

export interface Piece {
  /** The whole, for its commit and its ownership. */
  readonly batch: Batch;
  /** Positions, inclusive. */
  readonly first: number;
  readonly last: number;
  /** Bytes held in memory for it. */
  readonly bytes: number;
  /** Rows of one type each, in order of position within the type; `dead` ones too. */
  readonly parts: readonly Part[];
}

export interface Part {
  readonly type: string;
  readonly version: number;
  /** Bodies, one a line, each ended by \n. */
  readonly ndjson: Uint8Array;
  /** Of each row, ascending; null: the piece's positions one by one. */
  readonly positions: readonly number[] | null;
}

export interface PieceOptions {
  /** Version of the types there are definitions of. */
  readonly versionOf: (type: string) => number | undefined;
  readonly judge: JudgeForeign;
  readonly unknownTypes: 'wait' | 'dead_letter';
}

const newline = 10;

/** A piece, or in words why its topic has to wait. */
export function pieceOf(batch: Batch, options: PieceOptions): Piece | string {
  const { type, first, last } = batch;
  if (first === undefined || last === undefined)
    throw new PipelineError('archive_halted', `the log of ${batch.topic} gives no positions: it cannot be archived`);
  const known = type === null ? undefined : options.versionOf(type);
  const version = batch.version ?? known;
  const whole = { batch, first, last, bytes: batch.ndjson.length };
  if (type !== null && known === undefined) {
    if (options.unknownTypes === 'wait') return `the event type ${type} is not known to this ugc`;
    const no = { ok: false, reason: 'unknown_type', detail: `no definition of the event type ${type}` } as const;
    return judged(batch, () => no, options);
  }
  if (type === null || known === undefined || version === undefined || version < known)
    return judged(batch, options.judge, options);
  if (version > known) return newerThan({ type, version }, known);
  return { ...whole, parts: [{ type, version, ndjson: batch.ndjson, positions: null }] };
}

function judged(batch: Batch, judge: JudgeForeign, { versionOf }: PieceOptions): Piece | string {
  const { topic, partition, first = 0, last = first, oldestAtMs: atMs, form } = batch;
  const values = form === undefined ? linesOf(batch.ndjson) : [form === 'null' ? null : batch.ndjson];
  const byType = new Map<string, { readonly bodies: string[]; readonly positions: number[] }>();
  for (const [index, value] of values.entries()) {
    const position = Math.min(first + index, last);
    const verdict = safely(() => judge({ position, atMs, value }, batch));
    if (!verdict.ok && verdict.reason === 'newer') return verdict.detail;
    const type = verdict.ok ? verdict.type : deadType;
    const body = verdict.ok ? verdict.body : deadBody({ topic, partition, position, ...verdict, value, atMs });
    const rows = byType.get(type) ?? { bodies: [], positions: [] };
    byType.set(type, rows);
    rows.bodies.push(body);
    rows.positions.push(position);
  }
  const parts = [...byType].map(([type, { bodies, positions }]) => ({
    type,
    version: versionOf(type) ?? 1,
    ndjson: Buffer.from(`${bodies.join('\n')}\n`),
    positions,
  }));
  return { batch, first, last, bytes: parts.reduce((sum, { ndjson }) => sum + ndjson.length, 0), parts };
}

/**
 * The same records, each judged, also those that look like our edge's: somebody else has written what only looks so, and one
 * such record must not hold up all that follow.
 */
export function rejudged(piece: Piece, options: PieceOptions): Piece {
  const parts = piece.parts.flatMap(part => {
    if (part.positions !== null) return [part];
    const { ndjson } = part;
    const run: Batch = { ...piece.batch, first: piece.first, last: piece.last, ndjson };
    const judge: JudgeForeign = (record, place) => {
      const verdict = options.judge(record, place);
      return !verdict.ok && verdict.reason === 'newer' ? { ...verdict, reason: 'invalid' } : verdict;
    };
    const made = judged(run, judge, options);
    return typeof made === 'string' ? [] : made.parts;
  });
  return { ...piece, parts };
}

/** Anybody may write to a log: no record does more than be dead. */
function safely(judge: () => ForeignVerdict): ForeignVerdict {
  try {
    return judge();
  } catch (error) {
    return { ok: false, reason: 'invalid', detail: `it could not be judged, a fault of ugc: ${messageOf(error)}` };
  }
}

/** What is up to a border, inclusive, and what is behind it; null: nothing of it is. */
export function cut(piece: Piece, border: number): readonly [Piece | null, Piece | null] {
  if (piece.last <= border) return [piece, null];
  if (piece.first > border) return [null, piece];
  const { batch } = piece;
  const parts = piece.parts.map(part => cutPart(part, piece, border));
  const side = (at: 0 | 1, first: number, last: number): Piece => {
    const own = parts.map(pair => pair[at]).filter(part => part.ndjson.length > 0);
    return { batch, first, last, parts: own, bytes: own.reduce((sum, { ndjson }) => sum + ndjson.length, 0) };
  };
  return [side(0, piece.first, border), side(1, border + 1, piece.last)];
}

function cutPart(part: Part, piece: Piece, border: number): readonly [Part, Part] {
  const { positions, ndjson } = part;
  const rowsBefore = positions === null ? border - piece.first + 1 : positions.filter(at => at <= border).length;
  let end = 0;
  for (let row = 0; row < rowsBefore; row++) {
    const found = ndjson.indexOf(newline, end);
    end = found < 0 ? ndjson.length : found + 1;
  }
  return [
    { ...part, ndjson: ndjson.subarray(0, end), positions: positions?.slice(0, rowsBefore) ?? null },
    { ...part, ndjson: ndjson.subarray(end), positions: positions?.slice(rowsBefore) ?? null },
  ];
}
