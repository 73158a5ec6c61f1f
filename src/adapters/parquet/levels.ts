// The format's hybrid of runs and packed bits, for levels and for indexes into a dictionary.

import { type Bytes, room } from '../../record/growing.ts';

function varint(target: Bytes, number: number): void {
  const bytes = room(target, 5);
  let rest = number >>> 0;
  while (rest > 127) {
    bytes[target.length++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[target.length++] = rest;
}

/** Appends numbers of so many bits (at most 16): runs of eight equal ones or more as such, the others in groups of eight. */
export function appendHybrid(
  target: Bytes,
  numbers: Int32Array,
  range: { from: number; to: number },
  bits: number,
): void {
  const { to } = range;
  let packedFrom = range.from;
  let at = range.from;
  while (at < to) {
    const number = numbers[at];
    let end = at + 1;
    while (end < to && numbers[end] === number) end++;
    if (end - at < 8) {
      at += 8;
      continue;
    }
    appendPacked(target, numbers, { from: packedFrom, to: at }, bits);
    varint(target, (end - at) << 1);
    const width = (bits + 7) >> 3;
    const bytes = room(target, width);
    for (let i = 0; i < width; i++) bytes[target.length++] = (number as number) >> (i * 8);
    at = end;
    packedFrom = end;
  }
  appendPacked(target, numbers, { from: packedFrom, to }, bits);
}

/** The last group is filled up with zeros. */
function appendPacked(target: Bytes, numbers: Int32Array, range: { from: number; to: number }, bits: number): void {
  if (range.to <= range.from) return;
  const groups = (range.to - range.from + 7) >> 3;
  varint(target, (groups << 1) | 1);
  const bytes = room(target, groups * bits);
  const end = target.length + groups * bits;
  let buffer = 0;
  let held = 0;
  for (let i = range.from; i < range.to; i++) {
    buffer |= (numbers[i] as number) << held;
    held += bits;
    while (held >= 8) {
      bytes[target.length++] = buffer;
      buffer >>>= 8;
      held -= 8;
    }
  }
  while (target.length < end) {
    bytes[target.length++] = buffer;
    buffer >>>= 8;
  }
}
