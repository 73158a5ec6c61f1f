// Randomness that can be had again: every random test prints its seed, which is one of seeds.ts or that of UGC_TEST_SEED.

import { seedsOf } from './seeds.ts';

export interface Random {
  readonly seed: number;
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `min` to `max`, inclusive. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
}

/** By the first seed there is for it. */
export function randomOf(what: string, seed: number = seedsOf(what)[0]!): Random {
  console.log(`${what}: UGC_TEST_SEED=${seed}`);
  return seeded(seed);
}

/** mulberry32 (public domain, T. Ettinger). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { seed, next, between, pick: items => items[between(0, items.length - 1)]! };
}
