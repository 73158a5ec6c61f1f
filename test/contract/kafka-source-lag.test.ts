// What the Kafka source says is left to do: the truth, also of what it has not begun to read, or nothing.

import { expect, test } from 'bun:test';
import { kafkaInTest } from '../support/kafka-in-test.ts';
import { bytesMax, commitAll, read, stamped } from '../support/kafka-source.ts';
import { eventually } from '../support/ugc.ts';
import { until } from '../support/until.ts';

const own = kafkaInTest();
const { sources, newName, newTopic } = own;

async function topicWith(count: number): Promise<string> {
  const topic = await newTopic(2);
  await send(topic, count);
  return topic;
}
const send = (topic: string, count: number) =>
  own.producer.send({
    topic,
    messages: Array.from({ length: count }, (_, index) => ({ value: stamped(index), partition: index % 2 })),
  });

test('a topic that is paused from the first moment on has the lag it has, and what is added to it', async () => {
  const [topic, group] = [await topicWith(10), newName()];
  const source = sources.open(group, [topic]);
  const over = new AbortController();
  const polling = source.poll({ paused: new Set([topic]), bytesMax }, over.signal);
  expect(source.lag()).toEqual(new Map()); // nobody knows yet
  await eventually(() => source.lag().get(topic) === 10, { what: 'the lag of what was never fetched' });
  await send(topic, 6);
  await eventually(() => source.lag().get(topic) === 16, { what: 'the lag that has grown meanwhile' });
  over.abort();
  expect(await polling).toEqual([]);
  await commitAll(source, await read(source, 16));
  expect(source.lag()).toEqual(new Map([[topic, 0]]));
});

test('whoever comes next knows the lag behind the committed positions before it has read anything', async () => {
  const [topic, group] = [await topicWith(10), newName()];
  const first = sources.open(group, [topic]);
  const batches = await read(first, 10);
  await commitAll(
    first,
    batches.filter(({ partition }) => partition === 0),
  );
  await first.close();
  const second = sources.open(group, [topic]);
  // At no moment is it said to be less than it is.
  const said = new Set<number | undefined>();
  await until(() => {
    said.add(second.lag().get(topic));
    return said.size > 1;
  }, 'a lag is known');
  expect([...said]).toEqual([undefined, 5]);
});
