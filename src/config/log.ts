// Settings: where events go before they are rows: topics, and how long a broker is waited for.

import { flag, integer, text } from './kinds.ts';

export const logSettings = {
  topic: text({
    default: 'ugc.{event_type}',
    takes: 'a name with or without {event_type}, {family}, {stream}',
    pattern: /^([a-zA-Z0-9._-]|\{(event_type|family|stream)\})+$/,
    help: 'Topic of an event',
  }),
  topicCreate: flag({ default: true, help: 'Topics that the broker does not have are created on start' }),
  topicPartitions: integer({ default: 6, min: 1, max: 10_000, help: 'Partitions of a topic created on start' }),
  topicReplication: integer({ default: 1, min: 1, max: 32, help: 'Replicas of a topic created on start' }),
  ackBudgetMs: integer({
    default: 150,
    min: 1,
    max: 60_000,
    help: 'Events the broker has not acked by then are also written to the disk buffer and answered from there',
  }),
};
