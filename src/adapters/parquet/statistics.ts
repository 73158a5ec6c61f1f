// The smallest and the largest of plain values, for readers that pass over row groups. Texts are in order of their bytes.

import type { Bytes } from '../../record/growing.ts';
import { type Kind, lengthAt } from './physical.ts';

export interface Bounds {
  readonly min_value?: Uint8Array | number | bigint | boolean;
  readonly max_value?: Uint8Array | number | bigint | boolean;
}

export function statisticsOf(kind: Kind, { bytes, length }: Bytes, values: number): Bounds {
  if (values === 0) return {};
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  switch (kind) {
    case 'text':
    case 'list':
      return ofTexts(bytes, values);
    case 'int32':
      return ofNumbers(values, i => view.getInt32(i * 4, true));
    case 'double':
      return ofDoubles(ofNumbers(values, i => view.getFloat64(i * 8, true)));
    case 'bool':
      return ofBools(bytes.subarray(0, values));
    default:
      return ofLongs(view, values);
  }
}

function ofNumbers(values: number, at: (index: number) => number): { min_value: number; max_value: number } {
  let min_value = at(0);
  let max_value = min_value;
  for (let i = 1; i < values; i++) {
    const number = at(i);
    if (number < min_value) min_value = number;
    if (number > max_value) max_value = number;
  }
  return { min_value, max_value };
}

/** A zero stands for both, as the format wants it. */
const ofDoubles = ({ min_value, max_value }: { min_value: number; max_value: number }): Bounds => ({
  min_value: min_value === 0 ? -0 : min_value,
  max_value: max_value === 0 ? 0 : max_value,
});

const ofBools = (bytes: Uint8Array): Bounds => ({ min_value: !bytes.includes(0), max_value: bytes.includes(1) });

/** By their upper halves, and where these are the same by their lower ones: a bigint for each value is too dear. */
function ofLongs(view: DataView, values: number): Bounds {
  let min = 0;
  let max = 0;
  const isLess = (a: number, b: number): boolean => {
    const high = view.getInt32(a * 8 + 4, true) - view.getInt32(b * 8 + 4, true);
    return high !== 0 ? high < 0 : view.getUint32(a * 8, true) < view.getUint32(b * 8, true);
  };
  for (let i = 1; i < values; i++) {
    if (isLess(i, min)) min = i;
    if (isLess(max, i)) max = i;
  }
  return { min_value: view.getBigInt64(min * 8, true), max_value: view.getBigInt64(max * 8, true) };
}

function ofTexts(bytes: Uint8Array, values: number): Bounds {
  let min = 0;
  let max = 0;
  let at = 0;
  for (let i = 0; i < values; i++) {
    if (compare(bytes, at, min) < 0) min = at;
    if (compare(bytes, at, max) > 0) max = at;
    at += 4 + lengthAt(bytes, at);
  }
  const textAt = (from: number) => bytes.slice(from + 4, from + 4 + lengthAt(bytes, from));
  return { min_value: textAt(min), max_value: textAt(max) };
}

function compare(bytes: Uint8Array, a: number, b: number): number {
  const lengthA = lengthAt(bytes, a);
  const lengthB = lengthAt(bytes, b);
  const length = Math.min(lengthA, lengthB);
  for (let i = 4; i < length + 4; i++) {
    const difference = (bytes[a + i] as number) - (bytes[b + i] as number);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}
