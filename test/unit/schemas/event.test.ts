// The builder: one definition, and everything that follows from it.

import { describe, expect, test } from 'bun:test';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import { defineEvent, type EventDefinition } from '../../../schemas/event.ts';
import { flag, int64, numbered, orNull, text, texts, whole } from '../../../schemas/field.ts';
import { csvHeader, hiveDdl } from '../../../schemas/hive.ts';
import { typePage, typesTable } from '../../../schemas/markdown.ts';
import { changesOf, publishedOf, refusalsOf } from '../../../schemas/published.ts';
import { tableOf } from '../../../schemas/table.ts';
import { topicOf } from '../../../schemas/topic.ts';
import { typescriptOf } from '../../../schemas/typescript.ts';
import { wantedSchema } from '../../../src/adapters/clickhouse/schema/tables.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { bodyOf, judgeOptions, originOf, rejectionOf } from '../../support/edge.ts';
import { everyKind } from '../../support/every-kind.ts';

const definition: EventDefinition = {
  name: 'seat_booked',
  aliases: ['SeatBooked'],
  family: 'cinema',
  stream: 'event',
  version: 1,
  summary: 'A seat was booked',
  retentionDays: 90,
  fields: {
    seat: whole({ about: 'Which seat', max: 500 }),
    hall: numbered({ about: 'Where', words: { 1: 'red', 2: 'blue' } }),
  },
  example: { event_type: 'SeatBooked', timestamp: '2026-11-21T11:59:59Z', seat: 12, hall: 2 },
};

describe('a type that is added in one place is seen everywhere', () => {
  const seat = defineEvent(definition);
  const extended = catalogueOf([...catalogue.types, seat]);
  const judge = judgeOf({ ...judgeOptions, catalogue: extended, topic: '{stream}.{family}.{event_type}' });

  test('at the edge, by each of its names, with its topic', () => {
    const verdict = judge(seat.example, originOf());
    expect(bodyOf(verdict)).toMatchObject({
      event_type: 'seat_booked',
      schema_version: 1,
      seat: 12,
      hall: 2,
      user_id: null,
    });
    expect(verdict).toMatchObject({ envelope: { topic: 'event.cinema.seat_booked' } });
    expect(rejectionOf(judge({ ...seat.example, seat: 501 }, originOf())).paths).toEqual(['/seat']);
    expect(rejectionOf(judge({ ...seat.example, event_type: 'seat_boked' }, originOf())).text).toContain('seat_booked');
    expect(topicOf('ugc.{event_type}', seat)).toBe('ugc.seat_booked');
  });

  test('in ClickHouse, with its retention, its words and its part of events', () => {
    const { tables, views } = wantedSchema({
      database: 'ugc',
      tables: extended.types.map(tableOf),
      embedded: false,
    });
    const sql = Object.fromEntries([...tables, ...views].map(({ name, create }) => [name, create]));
    expect(sql.seat_booked_rows).toContain('`seat` UInt16');
    expect(sql.seat_booked_rows).toContain('TTL toDateTime(received_at) + toIntervalDay(90)');
    expect(sql.seat_booked_rows).toContain('`hall` UInt8');
    expect(sql.seat_booked).toContain("transform(`hall`, [1, 2], ['red', 'blue'], '')");
    expect(sql.events).toContain('FROM `ugc`.`seat_booked_rows` AS own FINAL');
  });

  test('in Hive, in the types of clients, in the documentation, and in what is published', () => {
    expect(csvHeader(seat)).toEndWith(',seat,hall');
    expect(hiveDdl(seat)).toContain("CASE `hall` WHEN 1 THEN 'red' WHEN 2 THEN 'blue' END AS `hall_name`");
    expect(typescriptOf(extended.types)).toContain('export type SeatBookedEvent = UgcStamp & {');
    expect(typescriptOf([seat])).toContain('readonly hall: 1 | 2;');
    expect(typesTable([seat])).toContain(
      '| `seat_booked`, also `SeatBooked` | A seat was booked | `seat` (whole number), `hall`',
    );
    expect(typePage(seat)).toContain(
      '| `seat` | a whole number from 0 to 500 | yes | `UInt16` | Which seat, 0 to 500 |',
    );
    const published = publishedOf(catalogue.types);
    expect(changesOf(published, extended.types)).toEqual([{ type: 'seat_booked', what: 'a new type', breaks: false }]);
    expect(refusalsOf(published, extended.types)).toEqual([]);
  });
});

describe('a kind of field has one column, that holds all it takes', () => {
  const columns = Object.fromEntries(everyKind.allFields.map(({ name, column }) => [name, column]));
  test.each([
    ['a_text', 'String'],
    ['a_word', 'LowCardinality(String)'],
    ['a_word_or_null', 'LowCardinality(Nullable(String))'],
    ['a_choice', 'LowCardinality(String)'],
    ['a_byte', 'UInt8'],
    ['a_short', 'UInt16'],
    ['a_count', 'UInt32'],
    ['a_signed', 'Int32'],
    ['a_safe', 'Int64'],
    ['an_int64_or_null', 'Nullable(Int64)'],
    ['an_amount', 'Float64'],
    ['a_number_of_words', 'Int8'],
    ['a_flag', 'Bool'],
    ['a_uuid', 'UUID'],
    ['a_time_or_null', "Nullable(DateTime64(3, 'UTC'))"],
    ['a_list', 'Array(String)'],
    ['an_object', 'String'],
  ])('%s: %s', (name, column) => {
    expect(columns[name]).toBe(column);
  });

  test('and says its unit, its range and the meaning of its numbers', () => {
    const about = Object.fromEntries(everyKind.allFields.map(field => [field.name, field.about]));
    expect(about.a_count).toBe('it’s a field, pieces, 0 to 4294967295');
    expect(about.a_share).toBe('it’s a field, 0 to 1');
    expect(about.a_number_of_words_or_null).toBe('it’s a field: 1 one, 2 two');
  });

  test('and what no column could hold, or what cannot be null, is no field', () => {
    expect(() => whole({ about: 'x', max: 2 ** 60 })).toThrow('use int64');
    expect(() => orNull(texts({ about: 'x' }))).toThrow('cannot be null');
  });
});

describe('a family decides who an event is of', () => {
  const user = (family: string, identity?: EventDefinition['identity']) =>
    defineEvent({ ...definition, family, ...(identity === undefined ? {} : { identity }) }).allFields[0]!.column;

  test('and a definition may decide otherwise', () => {
    expect(['film', 'marketplace', 'content', 'cinema'].map(family => user(family))).toEqual([
      'Nullable(String)',
      'Int64',
      'String',
      'Nullable(String)',
    ]);
    expect(user('film', 'integer')).toBe('Int64');
  });

  test('and users known by a number are the key of their events by its digits', () => {
    const { example } = catalogue.find('cart_add')!;
    const judge = judgeOf(judgeOptions);
    for (const user_id of [42, '42', 2n ** 62n, 0])
      expect(judge({ ...example, user_id }, originOf())).toMatchObject({ envelope: { key: String(user_id) } });
  });
});

describe('a definition that cannot be one is refused in words', () => {
  const define = (changes: Partial<EventDefinition>) => () => defineEvent({ ...definition, ...changes });
  const field = text({ about: 'x' });

  test.each(['', 'Seat', 'seat booked', '1seat', 'seat-booked', 'x'.repeat(101)])('called %p', name => {
    expect(define({ name })).toThrow('cannot be called');
  });

  test.each([
    'event_id',
    'received_at',
    'source',
    'properties',
    'Seat',
    '',
    'a b',
    'constructor',
    'event',
    '__proto__x',
  ])('with a field called %p', name => {
    expect(define({ fields: { [name]: field } })).toThrow('seat_booked: a field cannot be called');
  });

  test('with a field that takes the place of another’s words', () => {
    expect(define({ fields: { ...definition.fields, hall_name: field } })).toThrow('hall_name is the column');
  });

  test.each([0, 1.5, -1, 1e6])('that keeps rows for %p days', retentionDays => {
    expect(define({ retentionDays })).toThrow('retentionDays');
  });

  test.each([0, 1.5, -1, 70_000])('of version %p', version => {
    expect(define({ version })).toThrow('version');
  });

  test('and flags and integers are fields like others', () => {
    expect(define({ fields: { a: flag({ about: 'x' }), b: int64({ about: 'x' }) } })).not.toThrow();
  });
});
