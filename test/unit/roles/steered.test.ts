// Each mover obeys its gate: what is shut is not read, what was read before is finished, and it goes on where it was.

import { afterEach, expect, test } from 'bun:test';
import { memoryBuffer } from '../../../src/adapters/memory/buffer.ts';
import { memoryColdStore } from '../../../src/adapters/memory/cold-store.ts';
import { memoryContent } from '../../../src/adapters/memory/content.ts';
import { startArchiver } from '../../../src/archive/archiver.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { startRelay } from '../../../src/content/relay.ts';
import { breakerOf } from '../../../src/log/breaker.ts';
import { copiesOf } from '../../../src/log/copies.ts';
import { startDrain } from '../../../src/log/drain.ts';
import { paceOf } from '../../../src/log/pace.ts';
import type { Gate } from '../../../src/ports/flow-control.ts';
import { encodeHere, linesFormat } from '../../support/archive-lines.ts';
import { envelopes, isEmpty } from '../../support/buffer.ts';
import { judgeOptions } from '../../support/edge.ts';
import { listSource } from '../../support/list-source.ts';
import { memoryLog } from '../../support/memory-log.ts';
import { bodies, expectNoneLeft, startMoving } from '../../support/moving.ts';
import { quietLogger } from '../../support/quiet.ts';
import { until } from '../../support/until.ts';

expectNoneLeft();
const stopping: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
});

/** A gate in a test's hand. */
function gateOf(...shut: string[]) {
  const listeners: (() => void)[] = [];
  let topics = new Set(shut);
  const draining = new Set<string>();
  const gate: Gate = {
    get isShut() {
      return topics.size > 0;
    },
    topics: () => topics,
    isDraining: topic => draining.has(topic),
    watch: listener => {
      listeners.push(listener);
      return () => void listeners.splice(listeners.indexOf(listener), 1);
    },
  };
  const set = (...now: string[]): void => {
    topics = new Set(now);
    for (const listener of listeners) listener();
  };
  return { gate, set, draining, watchers: () => listeners.length };
}

test('the mover polls no topic that is shut, and wakes up when that changes', async () => {
  const { gate, set } = gateOf('click');
  const { source, sink } = startMoving({ gate });
  source.add({ topic: 'click', type: 'click', bodies: bodies('c', 3) });
  source.add({ topic: 'page_view', type: 'page_view', bodies: bodies('p', 2) });
  await until(() => source.committed.get('page_view/0') === 1, 'the other topic');
  expect(sink.rows('click').size).toBe(0);
  set();
  await until(() => source.committed.get('click/0') === 2, 'what was shut');
  set('click', 'page_view');
  await until(() => source.polls.at(-1)?.paused.size === 2, 'a poll that is told');
  source.add({ topic: 'click', type: 'click', bodies: bodies('d', 1) });
  const polls = source.polls.length;
  set('click');
  await until(() => source.polls.length > polls, 'another poll');
  expect(source.committed.get('click/0')).toBe(2);
  set();
  await until(() => source.committed.get('click/0') === 3, 'all of it');
  expect([...sink.rows('click').keys()]).toEqual(['c0', 'c1', 'c2', 'd0']);
});

test('a mover that has ended watches no more: the gate outlives it', async () => {
  const { gate, watchers } = gateOf();
  const { mover } = startMoving({ gate });
  expect(watchers()).toBe(1);
  await mover.stop();
  expect(watchers()).toBe(0);
});

test('a block in hand is finished though the flow is shut meanwhile', async () => {
  const { gate, set } = gateOf();
  const { source, sink } = startMoving({ gate });
  const release = sink.hold('click');
  source.add({ topic: 'click', type: 'click', bodies: bodies('c', 2) });
  await until(() => sink.inFlight() === 1, 'an insert under way');
  set('click');
  release();
  await until(() => source.committed.get('click/0') === 1, 'it is committed');
});

test('the drain sends nothing while it is shut; a stop does not wait for it', async () => {
  const { gate, set } = gateOf('drain');
  const [buffer, broker] = [memoryBuffer(), memoryLog('kafka')];
  const start = () =>
    startDrain({
      ...{ buffer, broker, gate, copies: copiesOf(), pace: paceOf(), breaker: breakerOf({ budgetMs: 100 }) },
      ...{ logger: quietLogger, onDrained: () => {}, retryMsMin: 1, retryMsMax: 5 },
    });
  const first = start();
  await buffer.append(envelopes(20));
  await first.stop();
  expect(broker.published).toEqual([]);
  const second = start();
  stopping.push(() => second.stop());
  set();
  await until(isEmpty(buffer), 'an empty buffer');
  set('drain');
  await buffer.append(envelopes(5, 'click', 'later'));
  set('drain', 'again'); // told once more, and nothing changed
  expect(broker.published.length).toBe(20);
  set();
  await until(isEmpty(buffer), 'an empty buffer again');
  expect(new Set(broker.published.map(({ id }) => id)).size).toBe(25);
});

test('the relay publishes nothing while it is shut, also at its stop', async () => {
  const { gate, set } = gateOf('content');
  const store = memoryContent({ viewing: { seenSeconds: 120, seenShare: 0.05, watchedShare: 0.9 } });
  const log = memoryLog();
  const start = () =>
    startRelay({
      ...{ store, log, gate, judge: judgeOf(judgeOptions), topicOf: (type: string) => `ugc.${type}` },
      ...{ setAside: async () => {}, logger: quietLogger, pollMs: 60_000 },
      metrics: { relayed: () => {}, leads: () => {}, waiting: () => {} },
    });
  const like = (film: string) =>
    store.vote(film, 1, { userId: 'ann', atMs: Date.parse('2026-11-22T01:02:03.456Z'), eventId: Bun.randomUUIDv7() });
  const first = start();
  await like('film-1');
  first.wake();
  await first.stop(1_000);
  expect([log.published.length, (await store.outbox()).events]).toEqual([0, 1]);
  const second = start();
  stopping.push(() => second.stop(1_000));
  set();
  await until(async () => (await store.outbox()).events === 0, 'an empty outbox');
  set('content');
  await like('film-2');
  second.wake();
  set();
  await until(async () => (await store.outbox()).events === 0, 'an empty outbox again');
  expect(log.published.length).toBe(2);
});

test('the archiver polls no topic that is shut, and closes at once what is to be drained', async () => {
  const { gate, set, draining } = gateOf('t');
  const source = listSource();
  const files = new Map<string, Uint8Array>();
  const archiver = startArchiver({
    ...{ openSource: () => source, topics: () => ['t'], store: memoryColdStore({ files }), gate },
    ...{ formats: [linesFormat], everyFormat: [linesFormat], encode: encodeHere, unknownTypes: 'wait', isDense: true },
    definitionOf: type => ({ type, summary: '', columns: [] }),
    judge: () => ({ ok: false, reason: 'invalid', detail: 'not expected' }),
    ...{ fileBytes: 2 ** 20, fileSeconds: 3_600, memoryBytes: 2 ** 20, by: 'test', logger: quietLogger },
    metrics: { entered: () => {} },
  });
  stopping.push(() => archiver.stop());
  const record = (id: string) =>
    JSON.stringify({ event_id: id, event_type: 'seen', received_at: '2026-11-01T00:00:00.000Z' });
  source.add({ topic: 't', type: 'seen', bodies: [record('a'), record('b')] });
  await until(() => source.polls.some(({ paused }) => paused.has('t')), 'a poll that is told');
  expect(archiver.gathered().events).toBe(0);
  set();
  await until(() => archiver.gathered().events === 2, 'both gathered');
  expect(source.commits).toEqual([]);
  draining.add('t');
  await until(() => source.committed.get('t/0') === 1, 'both in the archive');
  expect([...files.keys()].some(path => path.includes('seen'))).toBe(true);
});
