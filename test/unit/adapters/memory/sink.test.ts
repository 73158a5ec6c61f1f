import { expect, test } from 'bun:test';
import { memorySink } from '../../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../../src/errors.ts';
import { blockOf } from '../../../../src/mover/block.ts';
import { lettersOf } from '../../../../src/mover/records.ts';
import { batchOf } from '../../../support/list-source.ts';
import { body } from '../../../support/moving.ts';

const never = new AbortController().signal;
const unknown = new PipelineError('sink_unknown');
const block = (...rows: string[]) => blockOf('click', [batchOf({ topic: 't', type: 'click', bodies: rows })]);

test('rows of one event_id are one row, the first', async () => {
  const sink = memorySink();
  await sink.insert(block(body('a', { n: 1 }), body('a', { n: 2 })), 't1', never);
  await sink.insert(block(body('a', { n: 3 }), body('b', { n: 4 })), 't2', never);
  expect([...sink.rows('click').values()]).toEqual([
    { event_id: 'a', n: 1 },
    { event_id: 'b', n: 4 },
  ]);
});

test('a token stores once, whatever comes under it the second time', async () => {
  const sink = memorySink();
  await sink.insert(block(body('a')), 't', never);
  await sink.insert(block(body('b')), 't', never);
  expect([...sink.rows('click').keys()]).toEqual(['a']);
});

test('a block with one bad row is refused whole, by insert and by check, and its token is not spent', async () => {
  const sink = memorySink({ refuse: row => (row.event_id === 'b' ? 'no b' : null) });
  const bad = block(body('a'), body('b'));
  await expect(sink.insert(bad, 't', never)).rejects.toMatchObject({ code: 'sink_refused', message: 'row 2: no b' });
  expect((await sink.check(bad, never))?.code).toBe('sink_refused');
  expect(await sink.check(block(body('a')), never)).toBeNull();
  expect(sink.rows('click').size).toBe(0);
  await sink.insert(block(body('a')), 't', never);
  expect(sink.rows('click').size).toBe(1);
});

test('a failure ordered happens once, before or after the rows are stored', async () => {
  const sink = memorySink();
  sink.failNext('insert', { error: unknown });
  sink.failNext('insert', { error: unknown, type: 'other' });
  sink.failNext('insert', { error: unknown, isStored: true });
  await expect(sink.insert(block(body('a')), 't', never)).rejects.toBe(unknown);
  expect(sink.rows('click').size).toBe(0);
  await expect(sink.insert(block(body('a')), 't', never)).rejects.toBe(unknown);
  expect(sink.rows('click').size).toBe(1);
  await sink.insert(block(body('a')), 't', never);
});

test('dead letters are told apart by their coordinates alone', async () => {
  const sink = memorySink();
  const letters = lettersOf(batchOf({ topic: 't', type: null, bodies: ['x', 'y'] }), 'refused', '');
  for (const _ of [1, 2]) await sink.deadLetter(letters, never);
  expect(sink.letters()).toEqual(letters);
});

test('an insert that is held ends with its signal, outcome unknown', async () => {
  const sink = memorySink();
  const giveUp = new AbortController();
  sink.hold('click');
  const inserting = sink.insert(block(body('a')), 't', giveUp.signal);
  giveUp.abort();
  await expect(inserting).rejects.toMatchObject({ code: 'sink_unknown' });
  expect({ rows: sink.rows('click').size, inFlight: sink.inFlight() }).toEqual({ rows: 0, inFlight: 0 });
});

test('a sink that was closed may be closed again, and not used', async () => {
  const sink = memorySink();
  await sink.close();
  await sink.close();
  await expect(sink.insert(block(body('a')), 't', never)).rejects.toThrow('after close');
});
