import { beforeEach, describe, expect, test } from 'bun:test';
import { PipelineError } from '../../../src/errors.ts';
import { onceEachMoment, type Publish } from '../../../src/ingest/same-moment.ts';
import type { Envelope } from '../../../src/ports/log.ts';
import { envelope } from '../../support/buffer.ts';
import { type MemoryLog, memoryLog } from '../../support/memory-log.ts';

let log: MemoryLog;
let publish: Publish;
beforeEach(() => {
  log = memoryLog();
  publish = onceEachMoment(log.publish);
});

const at = (receivedAtMs: number, id: string, { type = 'click', extra = '' } = {}): Envelope => ({
  ...envelope(id, type, extra),
  receivedAtMs,
});
const bodies = () => log.published.map(({ body }) => body);
const onDisk = { ok: true, stored: 'disk' } as const;

describe('of two events with one id', () => {
  test('in one millisecond the first received is sent, and the second has its outcome', async () => {
    const first = at(5, 'a', { extra: 'first' });
    const answers = [publish([first]), publish([at(5, 'b'), at(5, 'a', { extra: 'second' })])];
    expect(await Promise.all(answers)).toEqual([[onDisk], [onDisk, onDisk]]);
    expect(bodies()).toEqual([first.body, at(5, 'b').body]);
  });

  test('the second is not acked before the first is durable', async () => {
    const release = log.hold();
    void publish([at(5, 'a')]);
    let isAnswered = false;
    const second = publish([at(5, 'a')]).finally(() => {
      isAnswered = true;
    });
    for (let turn = 0; turn < 20; turn++) await null;
    expect(isAnswered).toBe(false);
    release();
    expect(await second).toEqual([onDisk]);
  });

  test('the second fails with the first, so that its sender tries again', async () => {
    log.fail(({ body }) => (body.includes('first') ? new PipelineError('buffer_full') : null));
    const [first, second] = await Promise.all([
      publish([at(5, 'a', { extra: 'first' })]),
      publish([at(5, 'a', { extra: 'second' })]),
    ]);
    expect([first[0]!.ok, second[0]!.ok]).toEqual([false, false]);
  });

  test('a millisecond apart both are sent: their rows can be told apart', async () => {
    await publish([at(5, 'a', { extra: 'first' })]);
    await publish([at(6, 'a', { extra: 'second' })]);
    expect(bodies()).toHaveLength(2);
  });

  test('of two types both are sent, and each is once', async () => {
    const page = { type: 'page_view' };
    await publish([at(5, 'a')]);
    await publish([at(5, 'a', page)]);
    await publish([at(5, 'a', page), at(5, 'a')]);
    expect(log.published.map(({ type }) => type)).toEqual(['click', 'page_view']);
  });
});

test('nothing is published of nothing', async () => {
  expect(await publish([])).toEqual([]);
});
