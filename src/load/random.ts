// Randomness that can be had again: the same seed gives the same numbers, whatever else the machine does. And who is
// picked how often: of films and of people a few are everywhere and most are rare (Zipf).

export interface Random {
  readonly seed: number;
  /** From 0 up to 1. */
  next(): number;
  /** A whole number from `min` to `max`, inclusive. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
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

/**
 * Ranks 0 to count − 1, rank r with a share proportional to 1 / (r + 1)^exponent. Each draw takes the same time, whatever the
 * count (Walker's alias method, as Vose builds it: IEEE Trans. Softw. Eng. 17 (9), 1991).
 */
export function zipf(count: number, exponent: number): (random: Pick<Random, 'next'>) => number {
  const weights = Float64Array.from({ length: count }, (_, rank) => (rank + 1) ** -exponent);
  const sum = weights.reduce((all, weight) => all + weight, 0);
  const scaled = weights.map(weight => (weight * count) / sum);
  const other = new Uint32Array(count);
  const small: number[] = [];
  const large: number[] = [];
  scaled.forEach((share, rank) => {
    (share < 1 ? small : large).push(rank);
  });
  while (small.length > 0 && large.length > 0) {
    const [low, high] = [small.pop()!, large.at(-1)!];
    other[low] = high;
    scaled[high]! -= 1 - scaled[low]!;
    if (scaled[high]! < 1) small.push(large.pop()!);
  }
  for (const rank of [...small, ...large]) scaled[rank] = 1; // what rounding left
  return ({ next }) => {
    const at = next() * count;
    const rank = Math.floor(at);
    return at - rank < scaled[rank]! ? rank : other[rank]!;
  };
}
