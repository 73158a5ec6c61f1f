// NDJSON as the format of cold files: what tests read back without a decoder.

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
