// What is told of a rejected event: known names, sorts of values, and never a word of its sender's.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import { defineEvent } from '../../../schemas/event.ts';
import { choice, orNull } from '../../../schemas/field.ts';
import { pointerOf } from '../../../schemas/misfit.ts';
import { Misread } from '../../../src/ingest/reading.ts';
import { shapesOf } from '../../../src/ingest/shape.ts';
import { click, film } from '../../support/edge.ts';

const { pathOf, exampleOf } = shapesOf(() => catalogue);
const example = (event: unknown, type: string | null = 'click'): unknown => JSON.parse(exampleOf(event, type));
const path = (said: string, type: string | null = 'click') =>
  pathOf({ reason: 'invalid', type, errors: said === 'none' ? [] : [{ path: said }] });

describe('an example', () => {
  test('has the known fields, in the order of the definition, and the sorts of their values', () => {
    const event = { ...click, element: 5, user_id: null, properties: { a: 1 }, timestamp: [1, 2], event_id: true };
    expect(example(event)).toEqual({
      event_type: 'click',
      event_id: '<boolean>',
      timestamp: '<array 2>',
      user_id: null,
      country: '<string 2>',
      device: '<string 6>',
      element: '<number>',
      page_url: '<string 20>',
      properties: '<object>',
    });
    expect(example({ ...film, duration: 2n ** 70n }, 'film_watched')).toMatchObject({ duration: '<number>' });
    expect(exampleOf({ element: 1, event_type: 'click' }, 'click')).toBe('{"event_type":"click","element":"<number>"}');
  });

  test('shows values that the catalogue lists, and no others in their place', () => {
    const chosen = defineEvent({
      name: 'chosen',
      family: 'film',
      stream: 'event',
      version: 1,
      summary: 'One of a few',
      fields: { size: orNull(choice({ about: 'Which', of: ['small', 'large'] })) },
      example: {},
    });
    const own = shapesOf(() => catalogueOf([chosen]));
    const shown = (size: unknown): unknown => JSON.parse(own.exampleOf({ event_type: 'chosen', size }, 'chosen'));
    expect(shown('large')).toEqual({ event_type: 'chosen', size: 'large' });
    expect(shown('Ann Smith')).toEqual({ event_type: 'chosen', size: '<string 9>' });
    expect(example({ support_type: 2, user_id: 2 }, 'support_contact')).toEqual({
      support_type: 2,
      user_id: '<number>',
    });
    expect(example({ support_type: 9 }, 'support_contact')).toEqual({ support_type: '<number>' });
    expect(example({ event_type: 'not a type' }, null)).toEqual({ event_type: '<string 10>' });
  });

  test('counts fields of other names', () => {
    expect(example({ event_type: 'click', secret: 1, 'Ann Smith': 2 })).toEqual({
      event_type: 'click',
      '(unknown)': 2,
    });
    expect(example(JSON.parse('{"__proto__":1,"constructor":2,"toString":3}'))).toEqual({ '(unknown)': 3 });
  });

  test('of no known type has the fields that any type has', () => {
    expect(example({ event_type: 'nope', video_id: 'v', user_id: 'u', other: 1 }, null)).toEqual({
      event_type: '<string 4>',
      user_id: '<string 1>',
      video_id: '<string 1>',
      '(unknown)': 1,
    });
  });

  test('is the event inside of a wrapper, or the sort of what is no event, or nothing of what was not read', () => {
    expect(example({ event: { event_type: 'click' } })).toEqual({ event_type: 'click' });
    for (const [value, sort] of [
      ['text', '<string 4>'],
      [5, '<number>'],
      [null, null],
      [[1, 2, 3], '<array 3>'],
      [true, '<boolean>'],
    ])
      expect(example(value, null)).toEqual(sort);
    expect(exampleOf(new Misread({ path: '/x', message: 'secret' }), null)).toBe('');
  });
});

describe('a path', () => {
  test.each([
    ['/element', '/element'],
    ['/properties/secret/0/name', '/properties'],
    ['/event_id', '/event_id'],
    ['/elment', '(unknown)'],
    ['/Ann Smith', '(unknown)'],
    ['/__proto__', '(unknown)'],
    ['/video_id', '(unknown)'],
    ['/', '(unknown)'],
    ['', ''],
    ['none', ''],
  ])('%p of a click is %p', (said, told) => {
    expect(path(said)).toBe(told);
  });

  test('of no known type is a field that any type has, or one of a wrapper', () => {
    expect(path('/video_id', null)).toBe('/video_id');
    expect(path('/specversion', null)).toBe('/specversion');
    expect(path('/specversion')).toBe('(unknown)');
    expect(path('/Ann Smith', null)).toBe('(unknown)');
  });
});

/** No word of ours has it. */
const mark = '\u2603';
const secret = fc.string({ unit: 'grapheme', maxLength: 40 }).map(text => `${text}${mark}`);
const hostile = fc.letrec(tie => ({
  value: fc.oneof(
    { maxDepth: 3 },
    secret,
    fc.constantFrom('"', '\\', '\n', '<script>', `\ud800${mark}`, `' OR 1=1 --${mark}`, null, true, 1e308),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(secret, tie('value'), { maxKeys: 5 }),
  ),
})).value;
const names = catalogue.types.flatMap(({ allFields }) => allFields.map(({ name }) => name));

test('whatever is sent, no text of it is told, and it is JSON of a bounded length', () => {
  const types = fc.constantFrom(null, ...catalogue.types.map(({ name }) => name));
  const events = fc.dictionary(fc.oneof(secret, fc.constantFrom(...names, 'event_type')), hostile, { maxKeys: 60 });
  fc.assert(
    fc.property(events, types, (event, type) => {
      const text = exampleOf(event, type);
      JSON.parse(text);
      expect(text.length).toBeLessThanOrEqual(500);
      expect(text).not.toContain(mark);
      for (const name of Object.keys(event)) expect(path(`/${pointerOf(name)}/x`, type)).not.toContain(mark);
    }),
  );
});

test('an event of every name there is, and of very many, is told within the bound', () => {
  const every = Object.fromEntries(names.map(name => [name, 'x'.repeat(1_000)]));
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`n${at}`, at]));
  for (const event of [every, many, { ...every, ...many }]) {
    const text = exampleOf(event, null);
    expect(text.length).toBeLessThanOrEqual(500);
    JSON.parse(text);
  }
  expect(example(every, null)).toMatchObject({ '(more)': expect.any(Number) });
  expect(example(many, null)).toEqual({ '(unknown)': 1_000 });
});
