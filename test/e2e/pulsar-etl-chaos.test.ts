// The etl and everything against it, over Pulsar. UGC_TEST_PULSAR_ETL_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { etlChaos } from '../support/etl-chaos.ts';
import { pulsarEtl } from '../support/etl-pulsar.ts';
import { isWithoutPulsar } from '../support/pulsar.ts';

const given = process.env.UGC_TEST_PULSAR_ETL_ROUNDS;

etlChaos({
  name: 'pulsar etl chaos',
  isWithout: await isWithoutPulsar('own'),
  start: pulsarEtl,
  rounds: Number(given ?? 20),
  playMsMax: given === undefined ? 90_000 : Number.POSITIVE_INFINITY,
});
