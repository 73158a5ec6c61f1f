// Randomness that can be had again: every random test prints its seed, which is one of seeds.ts or that of UGC_TEST_SEED.

import { type Random, seeded } from '../../src/load/random.ts';
import { seedsOf } from './seeds.ts';

export { type Random, seeded };

/** By the first seed there is for it. */
export function randomOf(what: string, seed: number = seedsOf(what)[0]!): Random {
  console.log(`${what}: UGC_TEST_SEED=${seed}`);
  return seeded(seed);
}
