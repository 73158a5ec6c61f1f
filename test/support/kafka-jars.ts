// The jars of the tests' Kafka (maven-jars.ts), with a logger: what makes a node end is told in its log.

import { mavenJars } from './maven-jars.ts';

export const kafkaVersion = '4.1.1';

/** The folder of jars, or why there is none. */
export const kafkaJars = () =>
  mavenJars({
    title: 'Kafka',
    name: 'kafka',
    version: `${kafkaVersion}-told`,
    artifacts: [`org.apache.kafka:kafka_2.13:${kafkaVersion}`, 'org.slf4j:slf4j-simple:1.7.36'],
  });
