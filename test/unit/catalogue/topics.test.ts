// Which topics a process writes and reads, by UGC_TOPIC and UGC_STREAMS.

import { expect, test } from 'bun:test';
import { catalogue } from '../../../schemas/catalogue.ts';
import { topicsOf } from '../../../src/catalogue/topics.ts';
import { readConfig } from '../../../src/config/read.ts';

function configOf(flags: readonly string[]) {
  const result = readConfig({ flags: ['--kafka-brokers=k:9092', ...flags], env: {} });
  if (!result.ok) throw new Error(result.problems.join());
  return result.config;
}

/** Of the types alone. */
const topics = (...flags: string[]) => topicsOf(configOf(['--rejections-seconds=0', ...flags]), catalogue);

test('without anything said, a topic a type and one of what is rejected, all of them read', () => {
  const { written, read } = topics();
  expect(written).toHaveLength(catalogue.types.length);
  expect(read).toEqual(written);
  const counting = topicsOf(configOf([]), catalogue);
  expect(counting.written).toEqual([...written, 'ugc.rejections']);
  expect(counting.read).toEqual(counting.written);
  expect(topicsOf(configOf(['--streams=view', '--topic={stream}']), catalogue).read).toEqual(['view', 'rejections']);
});

test('a stream is read from its topics alone; all are written', () => {
  const { written, read } = topics('--topic=ugc.{stream}', '--streams=view');
  expect(written.toSorted()).toEqual(['ugc.content', 'ugc.event', 'ugc.view']);
  expect(read).toEqual(['ugc.view']);
  const views = catalogue.types.filter(({ stream }) => stream === 'view').map(({ name }) => `ugc.${name}`);
  expect(topics('--streams=view').read.toSorted()).toEqual(views.toSorted());
  expect(topics('--topic=ugc.{stream}', '--streams=view,content').read.toSorted()).toEqual(['ugc.content', 'ugc.view']);
});

test('streams that share a topic cannot be moved apart', () => {
  expect(() => topics('--topic=all', '--streams=view')).toThrow('the topic all holds other streams too');
  expect(() => topics('--topic=ugc.{family}', '--streams=event')).toThrow('UGC_STREAMS=event');
  expect(topics('--topic=all').read).toEqual(['all']);
  expect(topics('--topic=all', '--streams=view,event,content').read).toEqual(['all']);
});
