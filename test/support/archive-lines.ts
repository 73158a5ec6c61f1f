// NDJSON as the format of cold files: what tests read back without a decoder.

import type { Encode } from '../../src/archive/files.ts';
import { hashOf } from '../../src/archive/read-file.ts';
import type { RowFormat } from '../../src/ports/row-format.ts';

/** It calls itself parquet, as a manifest knows no other names. */
export const linesFormat: RowFormat = {
  name: 'parquet',
  extension: 'ndjson',
  encode: (_, chunks) => Buffer.concat(chunks),
  decode: async function* decode(_, bytes) {
    yield bytes;
  },
};

/** In this thread. */
export const encodeHere: Encode = async (format, definition, chunks) => {
  const content = format.encode(definition, chunks);
  return { content, sha256: hashOf(content) };
};
