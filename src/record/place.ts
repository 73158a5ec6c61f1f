// What tells a record that can be no row from every other of its topic and partition: where it stands in its log or, where
// the log has no place for it that outlives redelivery, its bytes. Then two records of the same bytes are one.

import { createHash } from 'node:crypto';

export interface Place {
  readonly position: number;
  readonly index: number;
}

const newline = 10;

/** 85 bits of SHA-1, in the room of a position (53) and an index (32). A line break at the end is not the record's. */
export function placeOfBytes(value: Uint8Array): Place {
  const hash = createHash('sha1')
    .update(value.at(-1) === newline ? value.subarray(0, -1) : value)
    .digest();
  return { position: Number(hash.readBigUInt64BE(0) >> 11n), index: hash.readUInt32BE(8) };
}

/** Whether that is all that tells it. */
export function isPlaceOfBytes({ position, index }: Place, value: Uint8Array): boolean {
  const place = placeOfBytes(value);
  return place.position === position && place.index === index;
}
