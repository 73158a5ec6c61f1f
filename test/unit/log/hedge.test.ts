import { expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import { breakerOf } from '../../../src/log/breaker.ts';
import { copiesOf } from '../../../src/log/copies.ts';
import { hedge } from '../../../src/log/hedge.ts';
import type { Envelope } from '../../../src/ports/log.ts';
import { envelope, envelopes } from '../../support/buffer.ts';
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts';

const budgetMs = 20;
const onBroker = { ok: true, stored: 'kafka' } as const;
const onDisk = { ok: true, stored: 'disk' } as const;
const unavailable = new PipelineError('log_unavailable', 'nobody there');
const full = new PipelineError('buffer_full');
const ids = (log: MemoryLog) => log.published.map(({ id }) => id);

function hedged() {
  const [broker, disk] = [memoryLog('kafka'), memoryLog('disk')];
  const breaker = breakerOf({ budgetMs, trialMs: 60_000, failuresMax: 3 });
  const copies = copiesOf();
  return { broker, disk, breaker, copies, log: hedge({ broker, disk, breaker, copies, budgetMs }) };
}

test('what the broker acks within the budget touches no disk', async () => {
  const { broker, disk, log } = hedged();
  expect(await log.publish(envelopes(2))).toEqual([onBroker, onBroker]);
  await Bun.sleep(2 * budgetMs); // the window in which nothing may be copied
  expect([ids(broker), ids(disk)]).toEqual([['e0', 'e1'], []]);
});

test('what the broker refuses or cannot take goes to the disk, and only that', async () => {
  for (const code of ['log_unavailable', 'log_unknown', 'log_halted', 'log_refused'] as const) {
    const { broker, disk, log } = hedged();
    broker.fail(({ id }) => (id === 'e1' ? new PipelineError(code) : null));
    expect(await log.publish(envelopes(3))).toEqual([onBroker, onDisk, onBroker]);
    expect(ids(disk)).toEqual(['e1']);
  }
});

test('what is overdue is answered from the disk, and an ack that comes later takes the copy back', async () => {
  const { broker, disk, copies, breaker, log } = hedged();
  const release = broker.hold();
  const sent = envelopes(2);
  expect(await log.publish(sent)).toEqual([onDisk, onDisk]);
  expect(ids(disk)).toEqual(['e0', 'e1']);
  expect(breaker.isOpen).toBe(true);
  const said = copies.isAcked(sent[0]!);
  release();
  expect(await said).toBe(true);
  expect(copies.isAcked(sent[1]!)).toBe(true);
});

test('a late failure leaves the copy to the drain', async () => {
  const { broker, copies, log } = hedged();
  const release = broker.hold();
  const [sent] = envelopes(1) as [Envelope];
  await log.publish([sent]);
  broker.fail(() => unavailable);
  const said = copies.isAcked(sent);
  release();
  expect(await said).toBe(false);
});

test('when the disk is slower than a late ack, the ack answers', async () => {
  const { broker, disk, log } = hedged();
  const [release, releaseDisk] = [broker.hold(), disk.hold()];
  const answer = log.publish(envelopes(1));
  while (disk.waiting() === 0) await Bun.sleep(1);
  release();
  expect(await answer).toEqual([onBroker]);
  releaseDisk();
});

test('with no room on the disk the broker’s late answer is the answer, good or bad', async () => {
  for (const outcome of [onBroker, { ok: false, error: full } as const]) {
    const { broker, disk, log } = hedged();
    const release = broker.hold();
    disk.fail(() => full);
    let isAnswered = false;
    const answer = log.publish(envelopes(1)).finally(() => {
      isAnswered = true;
    });
    await Bun.sleep(3 * budgetMs); // the window in which there must be no answer
    expect(isAnswered).toBe(false);
    if (!outcome.ok) broker.fail(() => unavailable);
    release();
    expect(await answer).toEqual([outcome]);
  }
});

test('with neither the broker nor room the failure is the disk’s', async () => {
  const { broker, disk, log } = hedged();
  broker.fail(() => unavailable);
  disk.fail(() => full);
  expect(await log.publish(envelopes(1))).toEqual([{ ok: false, error: full }]);
});

test('an open breaker spares the broker', async () => {
  const { broker, disk, breaker, log } = hedged();
  broker.fail(() => unavailable);
  for (let at = 0; at < 3; at++) await log.publish([envelope(`f${at}`)]);
  expect(breaker.isOpen).toBe(true);
  broker.fail(() => null);
  expect(await log.publish([envelope('g')])).toEqual([onDisk]);
  expect([ids(broker), ids(disk)]).toEqual([[], ['f0', 'f1', 'f2', 'g']]);
});

test('only refusals for good do not speak against the broker', async () => {
  const { broker, breaker, log } = hedged();
  broker.fail(() => new PipelineError('log_refused'));
  for (let at = 0; at < 10; at++) await log.publish([envelope(`r${at}`)]);
  expect(breaker.isOpen).toBe(false);
});

test('each of many waiting publishes falls due in its own time', async () => {
  const { broker, log } = hedged();
  const release = broker.hold();
  const answers: Promise<unknown>[] = [];
  for (let at = 0; at < 20; at++) {
    answers.push(log.publish([envelope(`${at}`)]));
    await Bun.sleep(2);
  }
  expect(await Promise.all(answers)).toEqual(Array(20).fill([onDisk]));
  release();
});

test('close waits for what has no outcome yet', async () => {
  const { broker, disk, log } = hedged();
  const [release, releaseDisk] = [broker.hold(), disk.hold()];
  const answer = log.publish(envelopes(1));
  let isClosed = false;
  const closed = log.close().then(() => {
    isClosed = true;
  });
  while (disk.waiting() === 0) await Bun.sleep(1);
  expect(isClosed).toBe(false);
  releaseDisk();
  expect(await answer).toEqual([onDisk]);
  await closed;
  release();
});
