// The seeds that a run of the tests plays: the same ones every time, so that a red test says something about the code and
// not about luck. Each seed that has ever failed is here. `npm run soak` plays random ones, UGC_TEST_SEED a given one.

/** By what is random; what is not named has one of its own, made of its name. */
const seeds: Readonly<Record<string, readonly number[]>> = {
  'kafka chaos': [192_841_353, 1, 645_045_698],
  'etl chaos': [33],
  'rabbitmq chaos, quorum': [637_562_839],
  'rabbitmq chaos, stream': [1_005_792_182, 2_070_217_606],
  'pulsar etl chaos': [814_340_099, 184_123_330],
  'pulsar chaos': [1_865_022_211, 1_954_370_152, 2_681_617_997],
};

/** One or more. */
export function seedsOf(what: string): readonly number[] {
  const given = process.env.UGC_TEST_SEED;
  if (given !== undefined) return [Number(given)];
  return seeds[what] ?? [Number(Bun.hash(what) % 2n ** 31n)];
}
