// Topics a group has left behind: told once nobody moves them any more, and no longer once somebody does.

import { expect, test } from 'bun:test';
import { watchLeftOver } from '../../src/adapters/kafka/read/left-over.ts';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { commitAll, read, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/ugc.ts';

const own = kafkaInTest();
const { sources, newName, newTopic } = own;

const send = (topic: string, count: number) =>
  own.producer.send({
    topic,
    messages: Array.from({ length: count }, (_, at) => ({ value: stamped(`e${at}`), partition: 0 })),
  });

async function moved(group: string, topic: string, count: number): Promise<void> {
  const source = sources.open(group, [topic]);
  await commitAll(source, await read(source, count));
  await eventually(() => source.lag().get(topic) === 0, { what: 'all of it committed' });
  await source.close();
}

test('events behind a position that stands still are told by topic, those of a topic somebody reads are not', async () => {
  const [before, now, group] = [await newTopic(), await newTopic(), newName()];
  for (const topic of [before, now]) {
    await send(topic, 3);
    await moved(group, topic, 3);
  }
  const told: [string, number][][] = [];
  const watch = watchLeftOver({
    clientId: 'left-over',
    brokers: own.kafka.brokers,
    groupId: group,
    known: () => [now],
    lookEveryMs: 50,
    onChange: left => told.push([...left]),
  });
  await send(now, 5);
  await send(before, 2);
  await eventually(() => watch.left.size > 0, { what: 'it is told' });
  expect([...watch.left]).toEqual([[before, 2]]);
  await moved(group, before, 2);
  await eventually(() => watch.left.size === 0, { what: 'nothing is left' });
  expect(told).toEqual([[[before, 2]], []]);
  watch.stop();
});

test('where Kafka does not answer nothing is told', async () => {
  let changes = 0;
  const watch = watchLeftOver({
    clientId: 'left-over',
    brokers: ['127.0.0.1:1'],
    groupId: 'x',
    known: () => [],
    lookEveryMs: 5,
    onChange: () => {
      changes++;
    },
  });
  await Bun.sleep(100); // the window in which it asks
  watch.stop();
  expect([changes, watch.left.size]).toEqual([0, 0]);
});
