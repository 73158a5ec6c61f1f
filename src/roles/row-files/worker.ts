// The thread that makes cold files: a file takes seconds of a core, and no request waits for them.
//
// A file is asked for as a beginning, its rows in as many messages as there are, and an end; then it is answered, or why
// the rows make none.

import { giveWay } from '../../adapters/linux/priority.ts';
import { hashOf } from '../../archive/read-file.ts';
import { messageOf } from '../../errors.ts';
import type { RowFormatName } from '../../ports/row-format.ts';
import type { TableDefinition } from '../../ports/tables.ts';
import { formatsOf, type RowFiles } from './formats.ts';

export type Request =
  | {
      readonly op: 'begin';
      readonly format: RowFormatName;
      readonly definition: TableDefinition;
      readonly settings: RowFiles;
      readonly nice: number;
    }
  /** Handed over, not copied. */
  | { readonly op: 'rows'; readonly rows: Uint8Array }
  | { readonly op: 'end' };

/** `content` is handed over; `sha256` of it, hex. */
export type Reply =
  | { readonly content: Uint8Array<ArrayBuffer>; readonly sha256: string }
  /** The rows are none of that definition. */
  | { readonly refused: string };

declare const self: Worker;

type Beginning = Extract<Request, { readonly op: 'begin' }>;
let begun: Beginning | null = null;
let chunks: Uint8Array[] = [];

self.onmessage = ({ data }: MessageEvent<Request>): void => {
  if (data.op === 'begin') {
    begun = data;
    giveWay(data.nice);
  } else if (data.op === 'rows') chunks.push(data.rows);
  else if (begun !== null) {
    const taken = chunks;
    chunks = [];
    answer(begun, taken);
  }
};

function answer({ format, definition, settings }: Beginning, rows: readonly Uint8Array[]): void {
  const reply = encoded(() => formatsOf(settings)[format].encode(definition, rows));
  if ('content' in reply) postMessage(reply, [reply.content.buffer]);
  else postMessage(reply);
}

function encoded(encode: () => Uint8Array): Reply {
  try {
    const content = encode() as Uint8Array<ArrayBuffer>;
    return { content, sha256: hashOf(content) };
  } catch (error) {
    return { refused: messageOf(error) };
  }
}
