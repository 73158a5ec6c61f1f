// The jars of the tests' Kafka (maven-jars.ts).

import { mavenJars } from './maven-jars.ts';

export const kafkaVersion = '4.1.1';

/** The folder of jars, or why there is none. */
export const kafkaJars = () =>
  mavenJars({
    title: 'Kafka',
    name: 'kafka',
    version: kafkaVersion,
    artifacts: [`org.apache.kafka:kafka_2.13:${kafkaVersion}`],
  });
