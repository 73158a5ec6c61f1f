import { expect, test } from 'bun:test';
import type { Span } from '../../../../src/adapters/otlp/encode.ts';
import { type SpanQueueOptions, spanQueue } from '../../../../src/adapters/otlp/queue.ts';
import type { Sent } from '../../../../src/adapters/otlp/send.ts';
import { until } from '../../../support/until.ts';

const span = (name: string): Span => ({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  name,
  kind: 'internal',
  startMs: 0,
  endMs: 1,
  attributes: {},
});
const taken: Sent = { ok: true, rejected: 0, said: '' };
const refused = (mayPass: boolean): Sent => ({ ok: false, words: 'no', mayPass, waitMs: 0 });

/** `answer`: to the nth batch, from 0. */
function opened(
  answer: (nth: number, signal: AbortSignal) => Sent | Promise<Sent>,
  more: Partial<SpanQueueOptions> = {},
) {
  const sent: string[][] = [];
  const told: (string | null)[] = [];
  const dropped = { spans: 0 };
  const queue = spanQueue({
    send: async (spans, signal) => answer(sent.push(spans.map(({ name }) => name)) - 1, signal),
    onDropped: spans => {
      dropped.spans += spans;
    },
    onTrouble: words => told.push(words),
    lingerMs: 1,
    retryMsMin: 1,
    retryMsMax: 2,
    ...more,
  });
  const add = (...names: string[]): void => {
    for (const name of names) queue.add(span(name));
  };
  return { queue, sent, told, dropped, add };
}

test('spans leave together, in order, in batches of a bounded size', async () => {
  const { queue, sent, dropped, add } = opened(() => taken, { batchMax: 2, lingerMs: 3_600_000 });
  add('a', 'b', 'c', 'd', 'e');
  await until(() => sent.length >= 2, 'two full batches, which wait for nobody');
  expect(sent).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  await queue.close(1_000);
  expect(sent.at(-1)).toEqual(['e']);
  expect(dropped.spans).toBe(0);
});

test('what finds the queue full is dropped and counted: the newest', async () => {
  const first = Promise.withResolvers<Sent>();
  const { queue, sent, dropped, add } = opened(nth => (nth === 0 ? first.promise : taken), {
    spansMax: 3,
    batchMax: 1,
  });
  add('a');
  await until(() => sent.length === 1, 'the first on its way');
  add('b', 'c', 'd', 'e', 'f');
  expect(dropped.spans).toBe(2);
  first.resolve(taken);
  await until(() => sent.length === 4, 'the others');
  expect(sent.flat()).toEqual(['a', 'b', 'c', 'd']);
  await queue.close(1_000);
  expect(sent).toHaveLength(4);
});

test('what may pass is tried again, and told once it is well', async () => {
  const { queue, sent, told, dropped, add } = opened(nth => (nth < 3 ? refused(true) : taken));
  add('a');
  await until(() => sent.length === 4, 'four tries');
  await queue.close(1_000);
  expect(sent).toEqual([['a'], ['a'], ['a'], ['a']]);
  expect(told).toEqual(['no', 'no', 'no', null]);
  expect(dropped.spans).toBe(0);
});

test('what never passes is given up, what is refused for good at once', async () => {
  const patient = opened(() => refused(true), { triesMax: 3 });
  patient.add('a');
  await until(() => patient.dropped.spans === 1, 'it is dropped');
  expect(patient.sent).toHaveLength(3);
  const definite = opened(() => refused(false));
  definite.add('a', 'b');
  await until(() => definite.dropped.spans === 2, 'they are dropped');
  expect(definite.sent).toHaveLength(1);
  await Promise.all([patient.queue.close(1), definite.queue.close(1)]);
});

test('spans a collector throws away are counted', async () => {
  const { queue, told, dropped, add } = opened(() => ({ ok: true, rejected: 1, said: 'too old' }));
  add('a', 'b');
  await queue.close(1_000);
  expect(dropped.spans).toBe(1);
  expect(told).toEqual(['the collector throws spans away: too old']);
});

test('closing tries what is there once, and waits for a silent collector no longer than it is told', async () => {
  const refusing = opened(() => refused(true), { batchMax: 1, retryMsMin: 3_600_000, retryMsMax: 3_600_000 });
  refusing.add('a', 'b');
  await until(() => refusing.sent.length === 1, 'the first is tried');
  await refusing.queue.close(60_000);
  expect(refusing.dropped.spans).toBe(2);

  const silent = opened(
    (_, signal) => new Promise(resolve => signal.addEventListener('abort', () => resolve(refused(true)))),
  );
  silent.add('a');
  await until(() => silent.sent.length === 1, 'it is on its way');
  const closing = silent.queue.close(1);
  silent.add('b');
  expect(silent.queue.close(3_600_000)).toBe(closing);
  await closing;
  expect(silent.dropped.spans).toBe(2);
});
