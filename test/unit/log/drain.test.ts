import { expect, test } from 'bun:test';
import { memoryBuffer } from '../../../src/adapters/memory/buffer.ts';
import { PipelineError } from '../../../src/errors.ts';
import { breakerOf } from '../../../src/log/breaker.ts';
import { copiesOf } from '../../../src/log/copies.ts';
import { startDrain } from '../../../src/log/drain.ts';
import { paceOf } from '../../../src/log/pace.ts';
import type { DiskBuffer } from '../../../src/ports/buffer.ts';
import type { Envelope } from '../../../src/ports/log.ts';
import { isEmpty } from '../../support/buffer.ts';
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts';
import { quietLogger } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

/** Bodies begin as the edge writes them. */
function stored(at: number, type = 'click'): Envelope {
  const id = `00000000-0000-7000-8000-${String(at).padStart(12, '0')}`;
  const body = `{"event_id":"${id}","event_type":"${type}"}`;
  return {
    id,
    type,
    version: 0,
    topic: `ugc.${type}`,
    key: at % 2 === 0 ? `user-${at}` : null,
    body,
    receivedAtMs: 5_000,
  };
}

const range = (count: number, type?: string, from = 0): Envelope[] =>
  Array.from({ length: count }, (_, at) => stored(from + at, type));

function drained(buffer: DiskBuffer = memoryBuffer(), topicOf: (type: string) => string | null = () => null) {
  const broker = memoryLog('kafka');
  const copies = copiesOf();
  const counts = { sent: 0, taken_back: 0, quarantined: 0 };
  const halts: string[] = [];
  const start = (from: DiskBuffer = buffer) =>
    startDrain({
      buffer: from,
      broker,
      copies,
      topicOf,
      pace: paceOf(),
      breaker: breakerOf({ budgetMs: 100 }),
      logger: quietLogger,
      onDrained: (outcome, events) => {
        counts[outcome] += events;
      },
      onHalted: topic => halts.push(topic),
      retryMsMin: 1,
      retryMsMax: 5,
    });
  return { buffer, broker, copies, counts, halts, start };
}

const ids = (log: MemoryLog) => log.published.map(({ id }) => id).sort();
const idsOf = (events: readonly Envelope[]) => events.map(({ id }) => id).sort();

test('everything reaches the broker as it was accepted, key and all, and leaves the buffer', async () => {
  const { buffer, broker, counts, start } = drained();
  const events = [...range(500), ...range(500, 'page_view', 500)];
  await buffer.append(events);
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(broker.published.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(events);
  expect(counts).toEqual({ sent: 1_000, taken_back: 0, quarantined: 0 });
});

test('events go where events of their type go now, and those of a type nobody knows where they were accepted for', async () => {
  const { buffer, broker, start } = drained(memoryBuffer(), type => (type === 'gone' ? null : `new.${type}`));
  await buffer.append([...range(10), ...range(10, 'page_view', 10), ...range(10, 'gone', 20)]);
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  const topics = Map.groupBy(broker.published, ({ topic }) => topic);
  expect([...topics].map(([topic, events]) => [topic, events.length]).sort()).toEqual([
    ['new.click', 10],
    ['new.page_view', 10],
    ['ugc.gone', 10],
  ]);
});

test('what the new topic refuses is set aside under the topic it lies under', async () => {
  const { buffer, broker, counts, start } = drained(memoryBuffer(), type => `new.${type}`);
  const setAside: string[] = [];
  const before = buffer.setAside;
  buffer.setAside = async records => {
    setAside.push(...records.map(({ topic }) => topic));
    await before(records);
  };
  await buffer.append(range(3));
  broker.fail(({ id }) => (id.endsWith('1') ? new PipelineError('log_refused', 'too large') : null));
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect([setAside, counts.quarantined]).toEqual([['ugc.click'], 1]);
});

test('a late ack of one event leaves the copy of another with the same id to be sent', async () => {
  const { buffer, broker, copies, counts, start } = drained();
  const [first] = range(1) as [Envelope];
  const second = { ...first, body: first.body.replace('}', ',"element":"b"}'), receivedAtMs: 6_000 };
  await buffer.append([first]); // while the broker was down
  copies.expect([second]);
  await buffer.append([second]);
  copies.settle(second, true);
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(broker.published.map(({ body }) => body)).toEqual([first.body]);
  expect(counts).toMatchObject({ sent: 1, taken_back: 1 });
});

test('what cannot be sent is sent again, and only that', async () => {
  const { buffer, broker, start } = drained();
  const events = range(100);
  await buffer.append(events);
  let failures = 0;
  broker.fail(({ id }) =>
    Number(id.slice(-1)) < 5 && failures++ < 150 ? new PipelineError('log_unavailable', 'not now') : null,
  );
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(ids(broker)).toEqual(idsOf(events)); // each once
});

test('what is refused for good is set aside and blocks nobody', async () => {
  const { buffer, broker, counts, start } = drained();
  const events = range(10);
  await buffer.append(events);
  broker.fail(({ id }) => (id === events[3]!.id ? new PipelineError('log_refused', 'too large') : null));
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(ids(broker)).toEqual(idsOf(events.toSpliced(3, 1)));
  expect(counts).toEqual({ sent: 9, taken_back: 0, quarantined: 1 });
  expect((await buffer.stats()).quarantined).toBe(1);
});

test('what is refused stays in the log while it cannot be set aside', async () => {
  const memory = memoryBuffer();
  let isFull = true;
  const buffer: DiskBuffer = {
    ...memory,
    setAside: async records => {
      if (isFull) throw new PipelineError('buffer_full');
      await memory.setAside(records);
    },
  };
  const { broker, counts, start } = drained(buffer);
  await buffer.append(range(2));
  let asked = 0;
  broker.fail(() => {
    asked++;
    return new PipelineError('log_refused', 'too large');
  });
  const drain = start();
  await until(() => asked > 4, 'it was asked again');
  expect((await buffer.stats()).events).toBe(2);
  isFull = false;
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(counts.quarantined).toBe(2);
});

test('a full disk ends nothing: what was sent is passed, and what comes is read, once there is room', async () => {
  const memory = memoryBuffer();
  const refusals = { poll: 3, commit: 3 };
  const once = <T>(what: keyof typeof refusals, action: () => Promise<T>): Promise<T> =>
    refusals[what]-- > 0 ? Promise.reject(new PipelineError('buffer_full')) : action();
  const buffer: DiskBuffer = {
    ...memory,
    source: (reader, options) => {
      const source = memory.source(reader, options);
      return {
        ...source,
        poll: (...args) => once('poll', () => source.poll(...args)),
        commit: ack => once('commit', () => source.commit(ack)),
      };
    },
  };
  const { broker, counts, start } = drained(buffer);
  const events = range(5);
  await buffer.append(events);
  const drain = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  await drain.done;
  expect(Math.max(refusals.poll, refusals.commit)).toBeLessThan(0); // each was asked again
  expect(ids(broker)).toEqual(idsOf(events)); // each once
  expect(counts.sent).toBe(5);
});

test('a topic that needs repair is told and tried again, and holds up no other', async () => {
  const { buffer, broker, halts, start } = drained();
  let isBroken = true;
  broker.fail(({ topic }) =>
    topic === 'ugc.click' && isBroken
      ? new PipelineError('log_halted', 'there is no such topic', { isOfPart: true })
      : null,
  );
  await buffer.append([...range(3), ...range(3, 'page_view', 3)]);
  const drain = start();
  await until(() => broker.published.length === 3, 'the other topic is drained');
  await until(() => halts.length > 2, 'it was tried again');
  expect(drain.halted().get('ugc.click')).toBe('there is no such topic');
  await buffer.append(range(2, 'page_view', 6));
  await until(() => broker.published.length === 5, 'the other topic goes on');
  isBroken = false;
  await until(isEmpty(buffer), 'the buffer is empty');
  expect(drain.halted().size).toBe(0);
  await drain.stop();
});

test('a copy the broker has acked is taken back, one whose answer is open is waited for', async () => {
  const { buffer, broker, copies, counts, start } = drained();
  const events = range(4);
  copies.expect(events.slice(0, 3));
  copies.settle(events[0]!, true);
  await buffer.append(events);
  const drain = start();
  await Bun.sleep(30); // the window in which nothing may be sent
  expect(broker.published).toEqual([]);
  copies.settle(events[1]!, true);
  copies.settle(events[2]!, false);
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(ids(broker)).toEqual(idsOf(events.slice(2)));
  expect(counts).toEqual({ sent: 2, taken_back: 2, quarantined: 0 });
});

test('stopped in the middle it goes on where it was', async () => {
  const { buffer, broker, start } = drained();
  const events = range(50);
  await buffer.append(events);
  broker.fail(() => new PipelineError('log_unavailable', 'down'));
  const first = start();
  await Bun.sleep(20); // somewhere in the middle of trying
  await first.stop();
  expect((await buffer.stats()).events).toBe(50);
  broker.fail(() => null);
  const second = start();
  await until(isEmpty(buffer), 'the buffer is empty');
  await second.stop();
  expect(ids(broker)).toEqual(idsOf(events));
});

test('events for a partition without a leader keep nobody waiting, go in turns with a pause, and when it is led are sent', async () => {
  const { buffer, broker, start } = drained();
  let appends = 0;
  const counting: DiskBuffer = {
    ...buffer,
    append: envelopes => {
      appends++;
      return buffer.append(envelopes);
    },
  };
  const unled = new PipelineError('log_unavailable', 'ugc.click/1 has no leader now', { isOfPart: true });
  const isStuck = ({ key }: Envelope) => key !== null;
  broker.fail(({ id }) => (isStuck(all.get(id)!) ? unled : null));
  const events = range(400);
  const all = new Map(events.map(event => [event.id, event]));
  await buffer.append(events);
  const drain = start(counting);
  const free = events.filter(event => !isStuck(event));
  await until(() => ids(broker).length === free.length, 'the others are in the broker');
  expect(ids(broker)).toEqual(idsOf(free));
  const before = appends;
  const since = performance.now();
  await until(() => appends >= before + 5, 'it goes in turns');
  expect(performance.now() - since).toBeGreaterThan(4 * 5 - 5); // each with its pause
  broker.fail(() => null);
  await until(isEmpty(buffer), 'the buffer is empty');
  await drain.stop();
  expect(new Set(ids(broker))).toEqual(new Set(idsOf(events)));
});
