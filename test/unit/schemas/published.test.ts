// The guard: what was published of a type is kept, or given up on purpose.

import { describe, expect, test } from 'bun:test';
import { defineEvent, type EventDefinition, type Upgrade } from '../../../schemas/event.ts';
import {
  amount,
  choice,
  type Field,
  int64,
  numbered,
  orEmpty,
  orNull,
  text,
  texts,
  time,
  uuid,
  whole,
} from '../../../schemas/field.ts';
import { changesOf, type Published, publishedOf, refusalsOf } from '../../../schemas/published.ts';
import { everyKind } from '../../support/every-kind.ts';

const about = 'x';

test('a shape survives being written as JSON, of every kind of field', () => {
  const read = JSON.parse(JSON.stringify(publishedOf([everyKind]))) as Published;
  expect(changesOf(read, [everyKind])).toEqual([]);
});

const definition: EventDefinition = {
  name: 'seat_booked',
  aliases: ['SeatBooked'],
  family: 'cinema',
  stream: 'event',
  version: 1,
  summary: 'A seat was booked',
  fields: { seat: whole({ about, max: 500 }), note: orEmpty(text({ about })) },
  example: {},
};
const before = publishedOf([defineEvent(definition)]);
const refused = (changes: Partial<EventDefinition>) => refusalsOf(before, [defineEvent({ ...definition, ...changes })]);
const withFields = (fields: Readonly<Record<string, Field>>) => ({ fields: { ...definition.fields, ...fields } });
const { seat, note } = definition.fields as { seat: Field; note: Field };

describe('a change that breaks writers or readers is refused', () => {
  test.each<[string, Partial<EventDefinition>, string]>([
    ['a field is gone', { fields: { seat } }, 'field note is gone'],
    ['a field is called otherwise', { fields: { chair: seat, note } }, 'field seat is gone'],
    ['a new field is required', withFields({ row: whole({ about }) }), 'field row is new and required'],
    ['a field is required now', withFields({ note: text({ about }) }), 'field note is required now'],
    ['a range is narrower', withFields({ seat: whole({ about, max: 499 }) }), 'field seat no longer takes all it took'],
    ['a text is shorter', withFields({ note: orEmpty(text({ about, lengthMax: 10 })) }), 'field note no longer takes'],
    [
      'a column is another one',
      withFields({ seat: whole({ about, max: 70_000 }) }),
      'column seat is UInt32, was UInt16',
    ],
    ['a field is of another kind', withFields({ seat: text({ about }) }), 'column seat is String'],
    ['a default is another one', withFields({ note: orNull(text({ about })) }), 'field note is null when it is absent'],
    ['an alias is gone', { aliases: [] }, 'the name SeatBooked is gone'],
    ['a topic may be another', { stream: 'view' }, 'stream view, was event'],
    ['a family is another', { family: 'theatre' }, 'family theatre, was cinema'],
  ])('%s', (_, changes, words) => {
    const problems = refused(changes);
    expect(problems.join('\n')).toContain(`seat_booked: ${words}`);
    expect(problems.join('\n')).toContain('Raise version to 2 and give upgrades[1]');
  });

  test('a type is gone', () => {
    expect(refusalsOf(before, [])).toEqual([expect.stringContaining('seat_booked: the type is gone')]);
  });

  test.each<[string, Field, Field]>([
    ['a word less', numbered({ about, words: { 1: 'a', 2: 'b' } }), numbered({ about, words: { 1: 'a' } })],
    ['a word that means another', numbered({ about, words: { 1: 'a' } }), numbered({ about, words: { 1: 'b' } })],
    ['a choice less', choice({ about, of: ['a', 'b'] }), choice({ about, of: ['a'] })],
    ['null no more', orNull(text({ about })), text({ about })],
    ['a list of fewer', texts({ about, countMax: 5 }), texts({ about, countMax: 4 })],
    ['a list of shorter texts', texts({ about, lengthMax: 5 }), texts({ about, lengthMax: 4 })],
    ['any text, then UUIDs', text({ about }), { ...uuid({ about }), column: 'String' }],
    [
      '64 bits, then 53',
      int64({ about }),
      { ...whole({ about, min: -(2 ** 53) + 1, max: 2 ** 53 - 1 }), column: 'Int64' },
    ],
    ['a share of what was any amount', amount({ about }), amount({ about, max: 1 })],
    ['text, then times', text({ about }), { ...time({ about }), column: 'String' }],
  ])('within a field: %s', (_, was, now) => {
    const old = publishedOf([defineEvent({ ...definition, ...withFields({ field: was }) })]);
    expect(refusalsOf(old, [defineEvent({ ...definition, ...withFields({ field: now }) })])).not.toEqual([]);
  });
});

describe('a change that breaks nobody is taken', () => {
  test.each<[string, Partial<EventDefinition>]>([
    ['nothing', {}],
    ['a new field that may be absent', withFields({ row: orNull(whole({ about })) })],
    ['a wider range in the same column', withFields({ seat: whole({ about, max: 501 }) })],
    ['longer texts', withFields({ note: orEmpty(text({ about, lengthMax: 5_000 })) })],
    ['one more name', { aliases: ['SeatBooked', 'seat_taken'] }],
    ['other words about it', { summary: 'Somebody has a seat' }],
    ['another time to keep it', { retentionDays: 5 }],
  ])('%s', (_, changes) => {
    expect(refused(changes)).toEqual([]);
  });

  test.each<[string, Field, Field]>([
    ['a word more', numbered({ about, words: { 1: 'a' } }), numbered({ about, words: { 1: 'a', 2: 'b' } })],
    ['a choice more', choice({ about, of: ['a'] }), choice({ about, of: ['a', 'b'] })],
    ['any text instead of a choice', choice({ about, of: ['a'] }), text({ about, fewValues: true })],
    ['any number of a byte instead of words', numbered({ about, words: { 1: 'a' } }), whole({ about, max: 255 })],
  ])('within a field: %s', (what, was, now) => {
    const old = publishedOf([defineEvent({ ...definition, ...withFields({ field: was }) })]);
    const refusals = refusalsOf(old, [defineEvent({ ...definition, ...withFields({ field: now }) })]);
    // Words that are gone are missed by readers, though every number is still taken.
    expect(refusals).toEqual(what.endsWith('instead of words') ? [expect.stringContaining('no longer means a')] : []);
  });
});

describe('a version', () => {
  const broken = { fields: { seat } };
  const upgrade: Upgrade = { about, apply: ({ note: _, ...record }) => record };

  test('with an upgrade from the one before makes a breaking change one that is taken', () => {
    expect(refused({ ...broken, version: 2, upgrades: { 1: upgrade } })).toEqual([]);
    expect(refused({ ...broken, version: 3, upgrades: { 1: upgrade, 2: upgrade } })).toEqual([]);
  });

  test('without one, with a gap, or with one that leads nowhere is none', () => {
    const define =
      (version: number, ...from: number[]) =>
      () =>
        defineEvent({ ...definition, version, upgrades: Object.fromEntries(from.map(at => [at, upgrade])) });
    expect(define(2)).toThrow('there is no upgrades[1], so records of version 1 could not be read');
    expect(define(3, 1)).toThrow('there is no upgrades[2]');
    expect(define(3, 2)).toThrow('there is no upgrades[1]');
    expect(define(2, 1, 2)).toThrow('upgrades[2] is from no version before 2');
    expect(define(2, 0, 1)).toThrow('upgrades[0] is from no version before 2');
    expect(define(3, 1, 2)).not.toThrow();
  });

  test('never goes back', () => {
    const second = publishedOf([defineEvent({ ...definition, version: 2, upgrades: { 1: upgrade } })]);
    expect(refusalsOf(second, [defineEvent(definition)])).toEqual([expect.stringContaining('published as 2 already')]);
  });
});
