import { describe, expect, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import { sortForeign } from '../../../src/mover/foreign.ts';
import { lettersOf } from '../../../src/mover/records.ts';
import type { Batch, JudgeForeign, PositionedBatch } from '../../../src/ports/source.ts';
import { acked, batchOf, listSource } from '../../support/list-source.ts';
import { body, expectNoneLeft, startMoving } from '../../support/moving.ts';
import { until } from '../../support/until.ts';

expectNoneLeft();

/** `type:id` fits; everything else is invalid. */
const judge: JudgeForeign = ({ value }) => {
  const text = value === null ? '' : Buffer.from(value).toString();
  const [type, id] = text.split(':');
  if (value === null) return { ok: false, reason: 'tombstone', detail: 'nothing' };
  if (id === undefined) return { ok: false, reason: 'invalid', detail: `not ${text}` };
  return { ok: true, type: type!, id, body: body(id) };
};

/** One record that is no line, as Kafka gives it. */
const lone = (value: string | null, position: number): PositionedBatch =>
  acked({
    topic: 'mixed',
    partition: 2,
    first: position,
    last: position,
    type: null,
    count: 1,
    oldestAtMs: 7,
    ndjson: Buffer.from(value ?? ''),
    form: value === null ? 'null' : 'raw',
  });

const lines = (bodies: readonly string[], first = 100): PositionedBatch =>
  batchOf({ topic: 'mixed', partition: 2, type: null, bodies, oldestAtMs: 7 }, first);

test('what fits goes to the batch of its type, what does not is a letter with its own position, time and bytes', () => {
  const { parts, letters } = sortForeign(lines(['click:a', 'nope', 'page_view:b', '', 'click:c']), judge);
  expect(parts.map(({ type, count, first, last, ndjson }) => [type, count, first, last, ndjson.toString()])).toEqual([
    ['click', 2, 100, 104, `${body('a')}\n${body('c')}\n`],
    ['page_view', 1, 100, 104, `${body('b')}\n`],
  ]);
  const place = { topic: 'mixed', partition: 2, index: 0, log: '', reason: 'invalid' as const, atMs: 7 };
  expect(letters.map(({ failedAtMs: _, raw, ...rest }) => ({ ...rest, raw: Buffer.from(raw).toString() }))).toEqual([
    { ...place, position: 101, detail: 'not nope', raw: 'nope' },
    { ...place, position: 103, detail: 'not ', raw: '' },
  ]);
});

test('a value with line breaks of its own is one record, and so is no value', () => {
  const raw = sortForeign(lone('two\nlines\n', 5), judge);
  expect(raw.letters.map(letter => Buffer.from(letter.raw).toString())).toEqual(['two\nlines\n']);
  expect(sortForeign(lone(null, 6), judge).letters).toMatchObject([{ position: 6, reason: 'tombstone' }]);
  const [part] = sortForeign(lone('click:\n', 7), judge).parts;
  expect(part).toMatchObject({ type: 'click', count: 1, first: 7, last: 7 });
  expect(part).not.toHaveProperty('form');
});

test('its position moves once every table has its rows and the letters are stored, not before', async () => {
  const source = listSource([lines(['click:a', 'bad', 'page_view:b'])]);
  const sink = memorySink();
  const release = sink.hold('page_view');
  sink.failNext('deadLetter', { error: new PipelineError('sink_unknown') });
  startMoving({ source, sink, judge });
  await until(() => sink.rows('click').size === 1, 'the click is in');
  expect(source.commits).toEqual([]);
  release();
  await until(() => sink.rows('page_view').size === 1, 'the page view is in');
  await until(() => source.committed.get('mixed/2') === 102, 'all is committed');
  expect(sink.letters()).toMatchObject([{ position: 101, reason: 'invalid' }]);
});

test('a batch of nothing but bad records, and one of none at all, are passed', async () => {
  const source = listSource([lines(['bad', 'worse']), lone(null, 102), acked({ ...lines([], 103), last: 105 })]);
  const { sink } = startMoving({ source, judge });
  await until(() => source.committed.get('mixed/2') === 105, 'all are committed');
  expect(sink.letters()).toHaveLength(3);
});

test('a good record of a batch with bad ones is inserted at the first try, though their letters cannot be stored', async () => {
  const source = listSource([lines(['bad', 'click:a', 'worse', 'click:b'])]);
  const sink = memorySink();
  for (let n = 0; n < 100; n++) sink.failNext('deadLetter', { error: new PipelineError('sink_overloaded') });
  startMoving({ source, sink, judge });
  await until(() => sink.rows('click').size === 2, 'the good ones are rows');
  expect(sink.attempts()).toHaveLength(1);
  expect(source.commits).toEqual([]);
});

test('a foreign record that ClickHouse alone refuses is a letter with its own position', async () => {
  const source = listSource([lines(['click:a', 'click:no', 'click:c'])]);
  const sink = memorySink({ refuse: row => (row.event_id === 'no' ? 'no' : null) });
  startMoving({ source, sink, judge });
  await until(() => source.committed.get('mixed/2') === 102, 'all is committed');
  expect([...sink.rows('click').keys()]).toEqual(['a', 'c']);
  expect(sink.letters()).toMatchObject([{ position: 101, index: 0, reason: 'refused' }]);
});

test('a judge that throws, whatever it throws, makes a dead letter of that record and of no other', () => {
  const throwing: JudgeForeign = (record, place) => {
    const text = Buffer.from(record.value ?? []).toString();
    if (text === 'error') throw new TypeError('No default value');
    if (text === 'odd') throw { toString: 1, valueOf: 1 };
    return judge(record, place);
  };
  const { parts, letters } = sortForeign(lines(['click:a', 'error', 'odd', 'click:b']), throwing);
  expect(parts.map(({ count }) => count)).toEqual([2]);
  expect(letters.map(({ position, reason }) => [position, reason])).toEqual([
    [101, 'invalid'],
    [102, 'invalid'],
  ]);
  expect(letters[0]!.detail).toContain('No default value');
});

describe('of a log whose records have no place that outlives redelivery', () => {
  const unplaced = (bodies: readonly string[], partition: number): Batch => {
    const { first: _, last: __, ...batch } = lines(bodies);
    return { ...batch, partition };
  };
  const keysOf = (batch: Batch) =>
    sortForeign(batch, judge).letters.map(({ partition, position, index }) => ({ partition, position, index }));

  test('the judge is told that there is none', () => {
    const positions: (number | null)[] = [];
    sortForeign(unplaced(['click:a', 'nope'], 0), (record, place) => {
      positions.push(record.position);
      return judge(record, place);
    });
    expect(positions).toEqual([null, null]);
  });

  test('a letter is told from others by its bytes, however the log gives them another time', () => {
    const [one, other] = keysOf(unplaced(['one', 'other'], 0));
    expect(one).not.toEqual(other);
    expect(keysOf(unplaced(['click:a', 'other', 'more', 'one'], 3)).toSorted((a, b) => a.index - b.index)).toEqual(
      [one, other, ...keysOf(unplaced(['more'], 0))].map(key => key!).toSorted((a, b) => a.index - b.index),
    );
    for (const { position, index } of [one!, other!]) {
      expect(Number.isSafeInteger(position) && position >= 0).toBe(true);
      expect(index).toBeLessThan(2 ** 32);
    }
  });

  test('a row that the sink refuses has the place that its record came with', () => {
    const [part] = sortForeign(unplaced(['click:a'], 0), judge).parts;
    const whole = { ...unplaced([], 0), ndjson: Buffer.from('click:a\n'), count: 1 };
    expect(lettersOf(part!, 'refused', '').map(({ position, index }) => ({ position, index }))).toEqual(
      lettersOf(whole, 'refused', '').map(({ position, index }) => ({ position, index })),
    );
  });
});
