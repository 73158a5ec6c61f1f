// The etl and everything against it, over Kafka. UGC_TEST_ETL_ROUNDS says how long, UGC_TEST_SEED repeats the dice.

import { etlChaos } from '../support/etl-chaos.ts';
import { kafkaEtl } from '../support/etl-kafka.ts';
import { isWithoutKafka } from '../support/kafka.ts';

const given = process.env.UGC_TEST_ETL_ROUNDS;

etlChaos({
  name: 'etl chaos',
  isWithout: await isWithoutKafka('own'),
  start: kafkaEtl,
  rounds: Number(given ?? 100),
  playMsMax: given === undefined ? 330_000 : Number.POSITIVE_INFINITY,
});
