// Rows of one table on their way into it: batches gathered in order until somebody closes the block.

import type { RowBlock } from '../ports/sink.ts';
import type { Batch } from '../ports/source.ts';

export interface Block extends RowBlock {
  readonly batches: readonly Batch[];
  readonly bytes: number;
  /** Names this block, and no other ever, to the sink: repeated under the same token it is stored once. */
  readonly token: string;
  readonly oldestAtMs: number;
}

/**
 * Tokens name a block of this process only. After a restart positions may mean other records (a new buffer file), and a
 * token built from them would make a sink drop rows it has never seen; repeated rows collapse by event_id instead.
 */
const run = Bun.randomUUIDv7();
let blocks = 0;

export const blockOf = (type: string, batches: readonly Batch[]): Block => ({
  type,
  batches,
  rows: batches.reduce((rows, batch) => rows + batch.count, 0),
  bytes: batches.reduce((bytes, batch) => bytes + batch.ndjson.length, 0),
  chunks: batches.map(batch => batch.ndjson),
  token: `${run}-${++blocks}`,
  oldestAtMs: oldestOf(batches),
});

/** Not spread: a block may be of more batches than a call takes arguments. */
const oldestOf = (batches: readonly Batch[]): number =>
  batches.reduce((oldest, batch) => Math.min(oldest, batch.oldestAtMs), Number.POSITIVE_INFINITY);

export interface Filling {
  readonly rows: number;
  readonly bytes: number;
  /** When the edge took the oldest of them, epoch milliseconds; infinite when there is none. */
  readonly oldestAtMs: number;
  add(batch: Batch): void;
  /** The oldest batches, whole ones, up to the bounds but at least one; the rest goes on filling. */
  close(bounds: { readonly rowsMax: number; readonly bytesMax: number }): Block;
}

export function fillingOf(type: string): Filling {
  let batches: Batch[] = [];
  let rows = 0;
  let bytes = 0;
  return {
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes;
    },
    get oldestAtMs() {
      return oldestOf(batches);
    },
    add: batch => {
      batches.push(batch);
      rows += batch.count;
      bytes += batch.ndjson.length;
    },
    close: ({ rowsMax, bytesMax }) => {
      let count = 0;
      let taken = { rows: 0, bytes: 0 };
      for (const batch of batches) {
        const next = { rows: taken.rows + batch.count, bytes: taken.bytes + batch.ndjson.length };
        if (count > 0 && (next.rows > rowsMax || next.bytes > bytesMax)) break;
        taken = next;
        count++;
      }
      const block = blockOf(type, batches.slice(0, count));
      batches = batches.slice(count);
      rows -= taken.rows;
      bytes -= taken.bytes;
      return block;
    },
  };
}
