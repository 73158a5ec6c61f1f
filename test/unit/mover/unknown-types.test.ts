// Records of a type the mover does not know (yet): they wait, nothing of them is lost or dead, and others go on.

import { expect, test } from 'bun:test';
import { memorySink } from '../../../src/adapters/memory/sink.ts';
import { PipelineError } from '../../../src/errors.ts';
import { growingSink } from '../../../src/mover/growing-sink.ts';
import type { SinkWithDeadLetters } from '../../../src/ports/sink.ts';
import type { TableDefinition } from '../../../src/ports/tables.ts';
import { bodies, expectNoneLeft, startMoving } from '../../support/moving.ts';
import { until } from '../../support/until.ts';

expectNoneLeft();

const unknown = new PipelineError('sink_halted', 'the event type own is not known here');

test('told to wait, they halt their own table with the reason, and are rows once it is known', async () => {
  const sink = memorySink();
  sink.halt('own', unknown);
  const moving = startMoving({ sink, unknownTypes: 'wait' });
  moving.source.add({ topic: 'shared', type: 'click', bodies: bodies('c', 2) });
  moving.source.add({ topic: 'shared', type: 'own', bodies: bodies('o', 2) });
  moving.source.add({ topic: 'shared', type: 'click', bodies: bodies('d', 2) });
  await until(() => sink.rows('click').size === 4, 'the rows of the other type');
  await until(() => moving.mover.halted().has('own'), 'the halt to be told');
  expect(moving.mover.halted().get('own')).toBe(unknown.message);
  expect(sink.letters()).toEqual([]);
  // Nothing behind a record that waits is committed.
  expect(moving.source.committed.get('shared/0')).toBe(1);
  sink.resume('own');
  await until(() => sink.rows('own').size === 2, 'the rows that waited');
  await until(() => moving.source.committed.get('shared/0') === 5, 'everything to be committed');
  expect(moving.mover.halted().size).toBe(0);
});

test('told not to, they are dead letters', async () => {
  const moving = startMoving({ unknownTypes: 'dead_letter' });
  moving.source.add({ topic: 'shared', type: 'own', bodies: bodies('o', 2) });
  await until(() => moving.sink.letters().length === 2, 'the letters');
  expect(moving.sink.letters().map(({ reason }) => reason)).toEqual(['unknown_type', 'unknown_type']);
});

test('a type that joins the set of known types is moved from then on', async () => {
  const types = new Map([['click', 1]]);
  const moving = startMoving({ types, unknownTypes: 'dead_letter' });
  types.set('own', 1);
  moving.source.add({ topic: 'own', type: 'own', bodies: bodies('o', 1) });
  await until(() => moving.sink.rows('own').size === 1, 'the row');
  expect(moving.sink.letters()).toEqual([]);
});

test('a growing sink uses new tables once they are made, and the old ones where they cannot be', async () => {
  const used: string[] = [];
  let isBroken = false;
  const sinkOf = (tables: readonly TableDefinition[]): SinkWithDeadLetters => ({
    ...memorySink(),
    prepare: async () => {
      if (isBroken) throw new PipelineError('schema_incompatible', 'no');
    },
    insert: async () => void used.push(tables.map(({ type }) => type).join(',')),
  });
  const table = (type: string): TableDefinition => ({ type, summary: '', columns: [] });
  const sink = growingSink(sinkOf, [table('a')]);
  const insert = () => sink.insert({ type: 'a', rows: 0, chunks: [] }, 't', new AbortController().signal);
  await insert();
  await sink.define([table('a'), table('b')]);
  await insert();
  isBroken = true;
  await expect(sink.define([table('c')])).rejects.toThrow('no');
  await insert();
  expect(used).toEqual(['a', 'a,b', 'a,b']);
});

test('of two definitions the later one stays, whichever is made first', async () => {
  const made = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const used: string[] = [];
  let sinks = 0;
  const sinkOf = (tables: readonly TableDefinition[]): SinkWithDeadLetters => {
    const isMade = made[sinks++ - 1]?.promise;
    return { ...memorySink(), prepare: async () => isMade, insert: async () => void used.push(tables[0]!.type) };
  };
  const table = (type: string): TableDefinition => ({ type, summary: '', columns: [] });
  const sink = growingSink(sinkOf, [table('first')]);
  const [older, newer] = [sink.define([table('older')]), sink.define([table('newer')])];
  made[1]!.resolve();
  await newer;
  made[0]!.resolve();
  await older;
  await sink.insert({ type: 'x', rows: 0, chunks: [] }, 't', new AbortController().signal);
  expect(used).toEqual(['newer']);
});
