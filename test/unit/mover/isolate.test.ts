import { describe, expect, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import { isolate } from '../../../src/mover/isolate.ts';
import { lettersOf } from '../../../src/mover/records.ts';
import type { DeadLetter, SinkWithDeadLetters } from '../../../src/ports/sink.ts';
import type { Batch } from '../../../src/ports/source.ts';
import { batchOf } from '../../support/list-source.ts';
import { body } from '../../support/moving.ts';

const signal = new AbortController().signal;

/** Batches of one topic in a row; a name with a ! is of a record no table takes. */
function batchesOf(...names: readonly (readonly string[])[]): Batch[] {
  let first = 0;
  return names.map(part => {
    const batch = batchOf({ topic: 't', partition: 3, type: 'click', bodies: part.map(name => body(name)) }, first);
    first = batch.last + 1;
    return batch;
  });
}

const sink = memorySink({ refuse: row => (row.event_id.endsWith('!') ? `no ${row.event_id}` : null) });

const isolated = (batches: readonly Batch[], by: SinkWithDeadLetters = sink) =>
  isolate(by, { type: 'click', batches, signal });

const namesOf = (batch: Batch): string[] =>
  batch.ndjson
    .toString()
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { event_id: string }).event_id);

const placeOf = ({ topic, partition, position, index, raw }: DeadLetter) => ({
  topic,
  partition,
  position,
  index,
  name: (JSON.parse(Buffer.from(raw).toString()) as { event_id: string }).event_id,
});

describe('of records that are refused together', () => {
  test('exactly those refused alone are dead, with their places, and the rest stays in order', async () => {
    const { letters, good } = await isolated(batchesOf(['a', 'b!', 'c'], ['d!'], ['e', 'f', 'g!', 'h!']));
    expect(letters.map(placeOf).toSorted((a, b) => a.position - b.position)).toEqual([
      { topic: 't', partition: 3, position: 1, index: 0, name: 'b!' },
      { topic: 't', partition: 3, position: 3, index: 0, name: 'd!' },
      { topic: 't', partition: 3, position: 6, index: 0, name: 'g!' },
      { topic: 't', partition: 3, position: 7, index: 0, name: 'h!' },
    ]);
    expect(letters.find(letter => letter.position === 1)).toMatchObject({ reason: 'refused', detail: 'row 1: no b!' });
    expect(good.map(namesOf)).toEqual([
      ['a', 'c'],
      ['e', 'f'],
    ]);
    expect(good.map(({ first, last, count }) => ({ first, last, count }))).toEqual([
      { first: 0, last: 2, count: 2 },
      { first: 4, last: 7, count: 2 },
    ]);
  });

  test('one, or all, may be to blame', async () => {
    expect((await isolated(batchesOf(['a!']))).good).toEqual([]);
    const { letters, good } = await isolated(batchesOf(['a!', 'b!'], ['c!']));
    expect({ dead: letters.length, good }).toEqual({ dead: 3, good: [] });
  });

  test('a line that is no JSON is one', async () => {
    const batch = batchOf({ topic: 't', type: 'click', bodies: [body('a'), '{"event_id":', 'null', '[]', body('b')] });
    const { letters, good } = await isolated([batch]);
    expect(letters.map(({ position }) => position).toSorted()).toEqual([1, 2, 3]);
    expect(Buffer.from(letters.find(({ position }) => position === 1)!.raw).toString()).toBe('{"event_id":\n');
    expect(good.map(namesOf)).toEqual([['a', 'b']]);
  });

  test('few are found in few questions', async () => {
    let asked = 0;
    const counting: SinkWithDeadLetters = {
      ...sink,
      check: (block, abort) => {
        asked++;
        return sink.check(block, abort);
      },
    };
    const names = Array.from({ length: 1_000 }, (_, at) => (at === 700 ? 'x!' : `n${at}`));
    const { letters } = await isolated(batchesOf(names), counting);
    expect(letters.map(({ position }) => position)).toEqual([700]);
    expect(asked).toBeLessThan(25);
  });

  test('those found later, after the first were taken out, still have the places they had in the log', async () => {
    const { good } = await isolated(batchesOf(['a!', 'b', 'c', 'd'], ['e!', 'f']));
    const later = memorySink({ refuse: row => ('bdf'.includes(row.event_id) ? 'no longer' : null) });
    const { letters, good: rest } = await isolated(good, later);
    expect(
      letters
        .map(placeOf)
        .map(({ position, index, name }) => `${name} ${position}+${index}`)
        .toSorted(),
    ).toEqual(['b 1+0', 'd 3+0', 'f 5+0']);
    expect(rest.map(namesOf)).toEqual([['c']]);
    expect((await isolated(rest, memorySink({ refuse: () => 'no' }))).letters.map(placeOf)).toMatchObject([
      { position: 2, index: 0, name: 'c' },
    ]);
  });
});

test('records of which none is refused alone are no dead letters: the table has to be looked at', async () => {
  await expect(isolated(batchesOf(['a', 'b']))).rejects.toMatchObject({ code: 'sink_halted' });
  const onlyTogether: SinkWithDeadLetters = {
    ...sink,
    check: async ({ rows }) => (rows > 1 ? new PipelineError('sink_refused') : null),
  };
  await expect(isolated(batchesOf(['a', 'b', 'c']), onlyTogether)).rejects.toMatchObject({ code: 'sink_halted' });
});

test('a check that cannot be made is no refusal', async () => {
  const failing = memorySink({ refuse: () => 'no' });
  failing.failNext('check', { error: new PipelineError('sink_unknown') });
  await expect(isolated(batchesOf(['a', 'b']), failing)).rejects.toMatchObject({ code: 'sink_unknown' });
});

test('every record of a batch can become a dead letter', () => {
  const [batch] = batchesOf(['a', 'b']);
  expect(
    lettersOf(batch!, 'unknown_type', 'why').map(letter => ({
      ...placeOf(letter),
      reason: letter.reason,
      detail: letter.detail,
    })),
  ).toEqual([
    { topic: 't', partition: 3, position: 0, index: 0, name: 'a', reason: 'unknown_type', detail: 'why' },
    { topic: 't', partition: 3, position: 1, index: 0, name: 'b', reason: 'unknown_type', detail: 'why' },
  ]);
});
