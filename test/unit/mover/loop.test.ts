import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type MemorySink, memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import type { Logger } from '../../../src/process/telemetry.ts';
import { listSource } from '../../support/list-source.ts';
import { bodies, body, expectNoneLeft, startMoving, stopped } from '../../support/moving.ts';
import { quietLogger } from '../../support/quiet.ts';
import { soon, until } from '../../support/until.ts';

expectNoneLeft();

const unknown = new PipelineError('sink_unknown');
const broken = new PipelineError('sink_halted', 'no such table');

describe('records', () => {
  test('of each type go into the table of that type, and their position is committed after', async () => {
    const { source, sink } = startMoving();
    source.onCommit = ({ topic, last }) => expect(sink.rows(topic).size).toBeGreaterThan(last);
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 3) });
    source.add({ topic: 'page_view', type: 'page_view', bodies: bodies('p', 2) });
    source.add({ topic: 'click', type: 'click', bodies: bodies('d', 2) });
    await until(
      () => source.committed.get('click/0') === 4 && source.committed.get('page_view/0') === 1,
      'all is committed',
    );
    expect([...sink.rows('click').keys()]).toEqual(['c0', 'c1', 'c2', 'd0', 'd1']);
    expect([...sink.rows('page_view').keys()]).toEqual(['p0', 'p1']);
  });

  test('of several types in one topic move its position only when all before are in', async () => {
    const { source, sink } = startMoving();
    const release = sink.hold('click');
    source.add({ topic: 'events', type: 'click', bodies: bodies('c', 2) });
    source.add({ topic: 'events', type: 'page_view', bodies: bodies('p', 2) });
    await until(() => sink.rows('page_view').size === 2, 'the later ones are in');
    expect(source.commits).toEqual([]);
    release();
    await until(() => source.committed.get('events/0') === 3, 'all is committed');
    expect(source.commits.map(({ last }) => last)).toEqual([3]);
  });

  test('are committed and read on once a full disk under the log has room again', async () => {
    const { source, sink, mover } = startMoving();
    let refusals = 2;
    source.onCommit = () => {
      if (refusals-- > 0) throw new PipelineError('buffer_full');
    };
    source.breakPoll(new PipelineError('buffer_full'));
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 3) });
    await until(() => source.committed.get('click/0') === 2, 'all is committed');
    expect(refusals).toBeLessThan(0);
    expect(sink.attempts()).toHaveLength(1);
    await mover.stop();
    await mover.done;
  });

  test('repeated with the same event_id are one row', async () => {
    const { source, sink } = startMoving();
    for (const _ of [1, 2]) source.add({ topic: 'click', type: 'click', bodies: [body('same')] });
    await until(() => source.committed.get('click/0') === 1, 'both are committed');
    expect(sink.rows('click').size).toBe(1);
  });

  test('that die together are told of in the log by each of their reasons', async () => {
    const said: unknown[] = [];
    const logger = { ...quietLogger, error: (fields: unknown) => void said.push(fields) } as unknown as Logger;
    const reasons = ['not_json', 'invalid', 'not_json'] as const;
    const { source } = startMoving({
      logger,
      judge: ({ position }) => ({ ok: false, reason: reasons[position!]!, detail: `the ${position}th` }),
    });
    source.add({ topic: 'odd', type: null, bodies: ['a', 'b', 'c'] });
    await until(() => source.committed.get('odd/0') === 2, 'all is committed');
    expect(said).toEqual([
      { topic: 'odd', records: 2, reason: 'not_json', first: 'the 0th' },
      { topic: 'odd', records: 1, reason: 'invalid', first: 'the 1th' },
    ]);
  });

  test('of an unknown type, or of none, become dead letters and their position moves on', async () => {
    const { source, sink } = startMoving();
    source.add({ topic: 'odd', type: 'nothing', bodies: bodies('n', 2) });
    source.add({ topic: 'odd', type: null, bodies: ['no JSON at all'] });
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 1) });
    await until(() => source.committed.get('odd/0') === 2 && source.committed.get('click/0') === 0, 'all is committed');
    expect(
      sink
        .letters()
        .map(({ topic, position, index, reason, raw }) => [
          topic,
          position,
          index,
          reason,
          Buffer.from(raw).toString(),
        ]),
    ).toEqual([
      ['odd', 0, 0, 'unknown_type', `${body('n0')}\n`],
      ['odd', 1, 0, 'unknown_type', `${body('n1')}\n`],
      ['odd', 2, 0, 'unknown_type', 'no JSON at all'],
    ]);
  });

  test('of an unknown type are not passed while their dead letters cannot be stored', async () => {
    const sink = memorySink();
    sink.failNext('deadLetter', { error: unknown });
    const { source } = startMoving({ sink });
    source.onCommit = () => expect(sink.letters()).toHaveLength(1);
    source.add({ topic: 'odd', type: 'nothing', bodies: bodies('n', 1) });
    await until(() => source.committed.get('odd/0') === 0, 'it is committed');
  });

  test('that are refused are dead letters, the rest of their batch is rows', async () => {
    const sink = memorySink({ refuse: row => (row.event_id === 'c1' ? 'no' : null) });
    const { source } = startMoving({ sink });
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 3) });
    await until(() => source.committed.get('click/0') === 2, 'all is committed');
    expect([...sink.rows('click').keys()]).toEqual(['c0', 'c2']);
    expect(sink.letters()).toMatchObject([{ topic: 'click', position: 1, index: 0 }]);
  });

  test('not yet in the sink are known by the oldest of each topic', async () => {
    const { source, sink, mover } = startMoving();
    const release = sink.hold('click');
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 1), oldestAtMs: 7 });
    source.add({ topic: 'page_view', type: 'page_view', bodies: bodies('p', 1), oldestAtMs: 3 });
    await until(() => source.committed.has('page_view/0') && mover.oldest().size === 1, 'the page view is in');
    expect(mover.oldest()).toEqual(new Map([['click', 7]]));
    release();
    await until(() => mover.oldest().size === 0, 'the click is in');
  });
});

describe('a table that needs repair', () => {
  test('is halted with its reason, does not stop the others, and resumes by itself', async () => {
    const { source, sink, mover } = startMoving();
    sink.halt('click', broken);
    source.add({ topic: 'click', type: 'click', bodies: bodies('c', 1) });
    await until(() => mover.halted().size === 1, 'the table is halted');
    expect(mover.halted()).toEqual(new Map([['click', 'no such table']]));
    for (let n = 0; n < 20; n++) {
      source.add({ topic: 'page_view', type: 'page_view', bodies: bodies(`p${n}-`, 2) });
      await until(() => source.committed.get('page_view/0') === n * 2 + 1, 'the other table goes on');
    }
    expect(source.committed.has('click/0')).toBe(false);
    sink.resume('click');
    await until(() => source.committed.get('click/0') === 0, 'it has resumed');
    expect(mover.halted().size).toBe(0);
  });

  test('pauses its topic once its lane is full, not before, and not the others’', async () => {
    const { source, sink } = startMoving({ blockRowsMax: 4 });
    const release = sink.hold('click');
    for (let n = 0; n < 10; n++) source.add({ topic: 'click', type: 'click', bodies: bodies(`c${n}-`, 2) });
    await until(() => source.isPolling() && source.polls.at(-1)!.paused.has('click'), 'the topic is paused');
    const taken = source.polls.length;
    for (let n = 0; n < 5; n++) {
      source.add({ topic: 'page_view', type: 'page_view', bodies: bodies(`p${n}-`, 2) });
      await until(() => source.committed.get('page_view/0') === n * 2 + 1, 'the other topic goes on');
    }
    expect(source.polls.slice(taken).every(({ paused }) => paused.has('click') && paused.size === 1)).toBe(true);
    release();
    await until(() => source.committed.get('click/0') === 19, 'the topic has woken up');
    expect(source.polls.at(-1)!.paused.size).toBe(0);
  });

  test('holds no more than two blocks and one poll of records in memory', async () => {
    const blockBytesMax = 2_000;
    const { source, sink } = startMoving({ blockBytesMax, blockRowsMax: 1_000 });
    const release = sink.hold('click');
    const { ndjson } = source.add({ topic: 'click', type: 'click', bodies: bodies('first-', 10) });
    await until(() => sink.inFlight() === 1, 'an insert is under way');
    const before = source.unreadBytes();
    for (let n = 0; n < 200; n++) source.add({ topic: 'click', type: 'click', bodies: bodies(`c${n}-`, 10) });
    const given = source.unreadBytes() - before;
    await until(() => source.isPolling() && source.polls.at(-1)!.paused.has('click'), 'the topic is paused');
    const held = ndjson.length + given - source.unreadBytes();
    expect(held).toBeLessThanOrEqual(3 * blockBytesMax + ndjson.length);
    release();
    await until(() => source.committed.get('click/0') === 2_009, 'all is committed');
    expect(sink.rows('click').size).toBe(2_010);
  });
});

describe('a mover', () => {
  test('that is stopped finishes the insert in flight, commits it, and repeats nothing of it later', async () => {
    const first = startMoving();
    const release = first.sink.hold('click');
    first.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 2) });
    await until(() => first.sink.inFlight() === 1, 'the insert is under way');
    const stopping = first.mover.stop();
    release();
    await soon(stopping, 'the mover to stop');
    expect(first.source.committed.get('click/0')).toBe(1);
    expect(first.source.isClosed()).toBe(true);
    await stopped(first);
  });

  test('that is stopped gives up an insert that hangs after its grace, and commits nothing of it', async () => {
    const moving = startMoving({ graceMs: 20 });
    moving.sink.hold('click');
    moving.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 2) });
    await until(() => moving.sink.inFlight() === 1, 'the insert is under way');
    await stopped(moving);
    expect(moving.source.commits).toEqual([]);
  });

  test('that is stopped does not wait for tables that need repair, nor for dead letters', async () => {
    const memory = memorySink();
    let tries = 0;
    const sink: MemorySink = {
      ...memory,
      deadLetter: (letters, signal) => {
        tries++;
        return memory.deadLetter(letters, signal);
      },
    };
    sink.halt('click', broken);
    for (let n = 0; n < 50; n++) sink.failNext('deadLetter', { error: broken });
    const moving = startMoving({ sink, graceMs: 60_000 });
    moving.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 1) });
    await until(() => moving.mover.halted().size === 1, 'the table is halted');
    moving.source.add({ topic: 'odd', type: 'nothing', bodies: bodies('n', 1) });
    await until(() => tries > 0, 'the dead letter is tried');
    await stopped(moving);
    expect(moving.source.commits).toEqual([]);
  });

  test('may be stopped twice, at once, idle or before it has begun', async () => {
    const { mover, source } = startMoving();
    await soon(Promise.all([mover.stop(), mover.stop()]), 'both stops');
    await soon(mover.stop(), 'a third');
    await soon(mover.done, 'it is done');
    expect(source.isClosed()).toBe(true);
  });

  test('whose source breaks is broken, after what is in flight is committed', async () => {
    const moving = startMoving();
    const release = moving.sink.hold('click');
    moving.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 1) });
    await until(() => moving.sink.inFlight() === 1, 'the insert is under way');
    moving.source.breakPoll(new Error('the log is gone'));
    release();
    await expect(moving.mover.done).rejects.toThrow('the log is gone');
    expect(moving.source.committed.get('click/0')).toBe(0);
    expect(moving.source.isClosed()).toBe(true);
    await stopped(moving);
  });

  test('whose positions cannot be committed is broken, by itself and in words', async () => {
    const moving = startMoving();
    moving.source.onCommit = () => {
      throw new Error('the disk is gone');
    };
    moving.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 1) });
    await expect(soon(moving.mover.done, 'the mover to break')).rejects.toThrow('the disk is gone');
    expect(moving.source.isClosed()).toBe(true);
    await stopped(moving);
  });

  test('that was killed begins again behind its last commit and makes no second row', async () => {
    const log: Parameters<typeof listSource>[0] = [];
    const sink = memorySink();
    const first = startMoving({ source: listSource(log), sink, graceMs: 0 });
    first.source.add({ topic: 'click', type: 'click', bodies: bodies('a', 2) });
    await until(() => first.source.committed.get('click/0') === 1, 'the first is committed');
    sink.failNext('insert', { error: unknown, isStored: true });
    first.source.add({ topic: 'click', type: 'click', bodies: bodies('b', 2) });
    await until(() => sink.rows('click').size === 4, 'the second is stored, but not committed');
    await stopped(first);
    expect(first.source.committed.get('click/0')).toBe(1);

    const second = startMoving({ source: listSource(log, first.source.committed), sink });
    await until(() => second.source.committed.get('click/0') === 3, 'the rest is committed');
    expect(sink.rows('click').size).toBe(4);
    expect(new Set(sink.attempts().map(({ token }) => token)).size).toBe(3);
  });

  test('leaves nothing that keeps a process alive once it is stopped', async () => {
    const child = Bun.spawn([process.execPath, join(import.meta.dir, '../../support/moves-and-ends.ts')], {
      stdout: 'pipe',
      stderr: 'inherit',
    });
    expect(await soon(child.exited, 'the process to end by itself').finally(() => child.kill())).toBe(0);
    expect(await new Response(child.stdout).text()).toBe('moved 2\n');
  });
});
