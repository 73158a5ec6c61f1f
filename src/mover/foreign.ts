// Records that no edge of ours has written, or an older one, are judged here, each by itself, before they meet a row: what
// fits is one canonical line in the batch of its type, what does not is a dead letter. So no block of a table is ever
// refused because of them, and no good record waits for a bad one. What a newer ugc wrote is for that one to read.
//
// Anybody may write to a log, so no record does more than become a dead letter, not even one the judge throws at: that is
// a fault of ours, told in the letter, and it is tried once more by `ugc dead replay` when it is mended.

import { messageOf } from '../errors.ts';
import type { DeadLetter } from '../ports/sink.ts';
import type { Batch, ForeignRecord, ForeignVerdict, JudgeForeign } from '../ports/source.ts';
import { type Place, placeOfBytes } from '../record/place.ts';
import { letterOf, type PlacedBatch, recordsOf, withoutBreak } from './records.ts';

export interface Sorted {
  /** One for each type, in the order of their first records; the coordinates are those of the whole batch. */
  readonly parts: readonly (PlacedBatch & { readonly type: string })[];
  readonly letters: readonly DeadLetter[];
  /** In words, of the first record a newer ugc wrote; null when there is none. */
  readonly newer: string | null;
}

export function sortForeign(batch: Batch, judge: JudgeForeign): Sorted {
  const letters: DeadLetter[] = [];
  let newer: string | null = null;
  const byType = new Map<string, { readonly bodies: string[]; readonly places: Place[] }>();
  for (const record of foreignOf(batch)) {
    const { position } = record;
    const place = position === null ? placeOfBytes(record.value ?? nothing) : { position, index: 0 };
    const verdict = judgedSafely(record, batch, judge);
    if (!verdict.ok) {
      const { reason, detail } = verdict;
      if (reason === 'newer') newer ??= detail;
      else letters.push(letterOf(batch, { place, raw: record.value ?? nothing, reason, detail, atMs: record.atMs }));
      continue;
    }
    let part = byType.get(verdict.type);
    if (part === undefined) {
      part = { bodies: [], places: [] };
      byType.set(verdict.type, part);
    }
    part.bodies.push(verdict.body);
    part.places.push(place);
  }
  const parts = [...byType].map(([type, { bodies, places }]) => {
    const { form: _, ...run } = batch;
    return { ...run, type, places, count: bodies.length, ndjson: Buffer.from(`${bodies.join('\n')}\n`) };
  });
  return { parts, letters, newer };
}

function judgedSafely(record: ForeignRecord, batch: Batch, judge: JudgeForeign): ForeignVerdict {
  try {
    return judge(record, batch);
  } catch (error) {
    return { ok: false, reason: 'invalid', detail: `it could not be judged, a fault of ugc: ${wordsOf(error)}` };
  }
}

/** A thrown thing may be one that cannot be a text, either. */
function wordsOf(error: unknown): string {
  try {
    return messageOf(error).slice(0, 500);
  } catch {
    return 'no words for it';
  }
}

const nothing = new Uint8Array();

function foreignOf(batch: Batch): readonly ForeignRecord[] {
  const { form, ndjson, first, oldestAtMs: atMs } = batch;
  const positionAt = (index: number): number | null => (first === undefined ? null : first + index);
  if (form !== undefined) return [{ position: positionAt(0), atMs, value: form === 'null' ? null : ndjson }];
  return recordsOf(batch).map(({ raw }, index) => ({ position: positionAt(index), atMs, value: withoutBreak(raw) }));
}
