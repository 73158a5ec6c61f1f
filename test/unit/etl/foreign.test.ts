import { expect, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import { sortForeign } from '../../../src/etl/foreign.ts';
import type { Batch, JudgeForeign } from '../../../src/ports.ts';
import { batchOf, listSource } from '../../support/list-source.ts';
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

/** A batch as Kafka gives one: values of any bytes, positions with gaps. */
const kafkaBatch = (values: readonly (string | null)[], first = 100): Batch => ({
  topic: 'mixed',
  partition: 2,
  first,
  last: first + values.length * 10 - 10,
  type: null,
  count: values.length,
  oldestAtMs: 7,
  ndjson: new Uint8Array(),
  foreign: values.map((value, at) => ({
    position: first + at * 10,
    atMs: 1_000 + at,
    value: value === null ? null : Buffer.from(value),
  })),
});

test('what fits goes to the batch of its type, what does not is a letter with its own position, time and bytes', () => {
  const { parts, letters } = sortForeign(kafkaBatch(['click:a', 'two\nlines', 'page_view:b', null, 'click:c']), judge);
  expect(parts.map(({ type, count, first, last, ndjson }) => [type, count, first, last, ndjson.toString()])).toEqual([
    ['click', 2, 100, 140, `${body('a')}\n${body('c')}\n`],
    ['page_view', 1, 100, 140, `${body('b')}\n`],
  ]);
  expect(letters.map(({ failedAtMs: _, raw, ...rest }) => ({ ...rest, raw: Buffer.from(raw).toString() }))).toEqual([
    {
      topic: 'mixed',
      partition: 2,
      position: 110,
      index: 0,
      reason: 'invalid',
      detail: 'not two\nlines',
      raw: 'two\nlines',
      atMs: 1_001,
    },
    {
      topic: 'mixed',
      partition: 2,
      position: 130,
      index: 0,
      reason: 'tombstone',
      detail: 'nothing',
      raw: '',
      atMs: 1_003,
    },
  ]);
});

test('a batch of lines is judged line by line, at the positions that follow the first', () => {
  const { parts, letters } = sortForeign(batchOf({ topic: 't', type: null, bodies: ['click:a', 'x', 'y'] }, 5), judge);
  expect(parts.map(({ count }) => count)).toEqual([1]);
  expect(letters.map(({ position, index, raw }) => [position, index, Buffer.from(raw).toString()])).toEqual([
    [6, 0, 'x'],
    [7, 0, 'y'],
  ]);
});

test('its position moves once every table has its rows and the letters are stored, not before', async () => {
  const source = listSource([kafkaBatch(['click:a', 'bad', 'page_view:b'])]);
  const sink = memorySink();
  const release = sink.hold('page_view');
  sink.failNext('deadLetter', { error: new PipelineError('sink_unknown') });
  startMoving({ source, sink, judge });
  await until(() => sink.rows('click').size === 1, 'the click is in');
  expect(source.commits).toEqual([]);
  release();
  await until(() => sink.rows('page_view').size === 1, 'the page view is in');
  await until(() => source.committed.get('mixed/2') === 120, 'all is committed');
  expect(sink.letters()).toMatchObject([{ position: 110, reason: 'invalid' }]);
});

test('a batch of nothing but bad records, and one of none at all, are passed', async () => {
  const source = listSource([kafkaBatch(['bad', null]), { ...kafkaBatch([], 200), last: 205 }]);
  const { sink } = startMoving({ source, judge });
  await until(() => source.committed.get('mixed/2') === 205, 'both are committed');
  expect(sink.letters()).toHaveLength(2);
});

test('a good record of a batch with bad ones is inserted at the first try, though their letters cannot be stored', async () => {
  const source = listSource([kafkaBatch(['bad', 'click:a', null, 'click:b'])]);
  const sink = memorySink();
  for (let n = 0; n < 100; n++) sink.failNext('deadLetter', { error: new PipelineError('sink_overloaded') });
  startMoving({ source, sink, judge });
  await until(() => sink.rows('click').size === 2, 'the good ones are rows');
  expect(sink.attempts()).toHaveLength(1);
  expect(source.commits).toEqual([]);
});

test('a foreign record that ClickHouse alone refuses is a letter with its own position', async () => {
  const source = listSource([kafkaBatch(['click:a', 'click:no', 'click:c'])]);
  const sink = memorySink({ refuse: row => (row.event_id === 'no' ? 'no' : null) });
  startMoving({ source, sink, judge });
  await until(() => source.committed.get('mixed/2') === 120, 'all is committed');
  expect([...sink.rows('click').keys()]).toEqual(['a', 'c']);
  expect(sink.letters()).toMatchObject([{ position: 110, index: 0, reason: 'refused' }]);
});
