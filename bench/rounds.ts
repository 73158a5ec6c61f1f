// Short rounds of several things in turn, and how each compares with the first of them in the same round: a machine that is
// slow for a minute is slow for all of them.

import { percentile } from './process.ts';

/** So that none is always the one after the longest. */
export const inNewOrder = <T>(all: readonly T[]): readonly T[] =>
  all
    .map(one => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);

/** The value at a share (0 to 1). */
export const at = (values: readonly number[], share: number): number =>
  percentile(
    values.toSorted((a, b) => a - b),
    share,
  );

/** Columns of a report: the middle ratio to the first of the same round, and between what half of the ratios lie. */
export function toTheFirst(values: readonly number[], first: readonly number[]): Record<string, string> {
  const ratios = values.map((value, round) => value / first[round]!);
  return {
    'to the first': at(ratios, 0.5).toFixed(3),
    'half lie in': `${at(ratios, 0.25).toFixed(3)}–${at(ratios, 0.75).toFixed(3)}`,
  };
}
