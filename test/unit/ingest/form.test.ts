// Forms: what a text becomes by the definition of its field, and what is refused in words.

import { describe, expect, test } from 'bun:test';
import { catalogueOf } from '../../../schemas/catalogue.ts';
import { everyType } from '../../../schemas/every-type.ts';
import { judgeOf } from '../../../src/catalogue/judge.ts';
import { PipelineError } from '../../../src/errors.ts';
import { type FormOptions, pairsOf, readForm } from '../../../src/ingest/form.ts';
import { Misread } from '../../../src/ingest/reading.ts';
import { judgeOptions, originOf } from '../../support/edge.ts';
import { everyKind } from '../../support/every-kind.ts';

const catalogue = catalogueOf([...everyType, everyKind]);
const options: FormOptions = { typeOf: catalogue.find, pathType: undefined, eventsMax: 5 };
const read = (text: string, changes: Partial<FormOptions> = {}) => readForm(pairsOf(text), { ...options, ...changes });
const eventOf = (text: string, changes?: Partial<FormOptions>) => read(text, changes).events[0];
/** `code: message`, with the place where it is one of an event. */
function refusalOf(text: string): string {
  try {
    const event = eventOf(text);
    return event instanceof Misread ? `${event.path} ${event.message}` : `read ${JSON.stringify(event)}`;
  } catch (error) {
    return error instanceof PipelineError ? `${error.code}: ${error.message}` : `not a PipelineError: ${error}`;
  }
}

describe('names and values', () => {
  test.each([
    ['a=b', [['a', 'b']]],
    [
      'a=b&c=d',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['&&a=b&', [['a', 'b']]],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    ['=a', [['', 'a']]],
    ['a=b=c', [['a', 'b=c']]],
    ['a+b=c+d', [['a b', 'c d']]],
    ['%61=%E2%82%AC%2B%26%3D%25', [['a', '€+&=%']]],
    ['a=€', [['a', '€']]],
    ['', []],
  ])('%s', (text, pairs) => {
    expect(pairsOf(text)).toEqual(pairs as [string, string][]);
  });

  test.each(['a=%', 'a=100%', 'a=%zz', 'a=%E9', 'a=%ff%fe', 'a=%C0%AF', 'a=%ED%A0%80', 'a=%e2%82'])(
    '%s is not percent-encoded UTF-8',
    text => {
      expect(refusalOf(text)).toBe(
        'bad_request: the value of a is not percent-encoded UTF-8; a % itself is written %25',
      );
      expect(refusalOf(text.replace(/^a=(.*)/, 'a=1&$1=b'))).toStartWith('bad_request: the name of field 2 is not');
    },
  );

  test('are a thousand at most, and no message is as long as what it is about', () => {
    expect(pairsOf('a&'.repeat(1_000))).toHaveLength(1_000);
    expect(refusalOf('a&'.repeat(1_001))).toBe('too_large: the form holds more than 1000 fields');
    expect(refusalOf(`${'x'.repeat(100_000)}=%`).length).toBeLessThan(250);
  });
});

describe('a value is what its field takes', () => {
  test.each([
    ['a_short=7', { a_short: 7 }],
    ['a_signed=-7', { a_signed: -7 }],
    ['an_amount=3660.5', { an_amount: 3660.5 }],
    ['an_amount=36e2', { an_amount: 3600 }],
    ['a_count_or_null=', { a_count_or_null: null }],
    ['user_id=', { user_id: null }],
    ['a_text=', { a_text: '' }],
    ['a_text_or_empty=', { a_text_or_empty: '' }],
    ['a_text=007', { a_text: '007' }],
    ['a_flag=true', { a_flag: true }],
    ['a_flag=0', { a_flag: false }],
    ['a_flag_or_null=', { a_flag_or_null: null }],
    ['an_int64=9223372036854775807', { an_int64: '9223372036854775807' }],
    ['a_number_of_words=-1', { a_number_of_words: -1 }],
    ['a_time=1700000000000', { a_time: 1_700_000_000_000 }],
    ['a_time=2026-11-21T12%3A00%3A00%2B01%3A00', { a_time: '2026-11-21T12:00:00+01:00' }],
    ['timestamp=1700000000000&sent_at=1700000000001', { timestamp: 1_700_000_000_000, sent_at: 1_700_000_000_001 }],
    ['sent_at=&event_id=', { sent_at: null, event_id: null }],
    ['a_list=b&a_list=a&a_list=b', { a_list: ['b', 'a', 'b'] }],
    ['a_list=', { a_list: [''] }],
    ['an_object={"a":[1,{"b":null}]}', { an_object: { a: [1, { b: null }] } }],
    ['properties.a=1&properties.b.c=x&properties.b.d=', { properties: { a: '1', b: { c: 'x', d: '' } } }],
    ['properties.=1', { properties: { '': '1' } }],
  ])('%s', (text, fields) => {
    expect(eventOf(`event_type=every_kind&${text}`)).toEqual({ event_type: 'every_kind', ...fields });
  });

  test('also where the type is an alias, or stands in the path', () => {
    expect(eventOf('event_type=EveryKind&a_short=7')).toEqual({ event_type: 'EveryKind', a_short: 7 });
    expect(eventOf('a_short=7', { pathType: 'every_kind' })).toEqual({ a_short: 7 });
  });

  test('and stays text where it cannot be, so that the judge tells what was expected', () => {
    for (const said of [
      'a_short=seven',
      'a_short=0x10',
      'a_short=',
      'a_short= 7',
      'a_flag=yes',
      'a_time=now',
      'an_object=x',
    ])
      expect(Object.values(eventOf(`event_type=every_kind&${said}`) as object)[1]).toBe(said.split('=')[1]!);
    const verdict = judgeOf({ ...judgeOptions, catalogue })(eventOf('event_type=every_kind&a_short=seven'), originOf());
    expect(JSON.stringify(verdict)).toContain('expected a whole number from 0 to 65535, got the text \\"seven\\"');
  });

  test('and of a type nobody knows, or none, text', () => {
    expect(eventOf('event_type=clik&duration=7&a.b=c')).toEqual({ event_type: 'clik', duration: '7', 'a.b': 'c' });
    expect(eventOf('duration=7')).toEqual({ duration: '7' });
    expect(eventOf('null')).toEqual({ null: '' });
  });
});

describe('what is said twice is refused, and never the last one taken', () => {
  test.each([
    ['a_short=1&a_short=1', '/a_short'],
    ['event_type=click&event_type=click', '/event_type'],
    ['data=1&data=2', '/data'],
    ['properties.a=1&properties.a=2', '/properties.a'],
    ['properties.a=1&properties.a.b=2', '/properties.a.b'],
    ['properties.a.b=1&properties.a=2', '/properties.a'],
    ['properties.=1&properties..a=2', '/properties..a'],
    ['properties={}&properties.a=1', '/properties.a'],
    ['properties.a=1&properties={}', '/properties'],
    ['a~/b=1&a~/b=1', '/a~0~1b'],
  ])('%s', (text, path) => {
    const typed = text.startsWith('event_type') ? text : `event_type=every_kind&${text}`;
    expect(refusalOf(typed)).toBe(`${path} is said more than once: say it once, or send JSON`);
  });
});

test('names that mean something to JavaScript are names and nothing else', () => {
  const event = eventOf('event_type=custom&properties.__proto__.polluted=1&__proto__=2&constructor=3') as object;
  expect(Object.keys(event)).toEqual(['event_type', 'properties', '__proto__', 'constructor']);
  expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
  expect(JSON.stringify(event)).toContain('{"__proto__":{"polluted":"1"}}');
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test('free objects are as deep as an event may ever be, and no deeper', () => {
  const deep = (levels: number) => `event_type=custom&properties${'.a'.repeat(levels)}=1`;
  expect(refusalOf(deep(127))).toStartWith('read ');
  expect(refusalOf(deep(128))).toBe('/properties is nested deeper than 128');
  expect(refusalOf(deep(500_000))).toBe('/properties is nested deeper than 128');
});

describe('data alone is JSON', () => {
  const base64url = (text: string) => Buffer.from(text).toString('base64url');

  test.each([
    ['{"a":"é"}', true, [{ a: 'é' }]],
    [' {"event":{"a":1}}', true, [{ a: 1 }]],
    ['[{"a":1},2]', false, [{ a: 1 }, 2]],
    ['{"events":[1]}', false, [1]],
    ['{"a":1}\n{"a":2}\n', false, [{ a: 1 }, { a: 2 }]],
    ['{\n"a":1\n}', true, [{ a: 1 }]],
  ])('%j', (json, isSingle, events) => {
    for (const said of [
      encodeURIComponent(json),
      base64url(json),
      encodeURIComponent(Buffer.from(json).toString('base64')),
    ])
      expect(read(`data=${said}`)).toMatchObject({ isSingle, events, isPlain: false });
  });

  test('a line that is no JSON is an error in its place', () => {
    const { events } = read(`data=${encodeURIComponent('{"a":1}\n{"a":')}`);
    expect(events).toEqual([{ a: 1 }, expect.any(PipelineError)]);
  });

  test.each([
    ['', 'not_json: the body is empty'],
    ['x', 'not_json: data is neither JSON nor base64url of JSON'],
    ['!!!!', 'not_json: data is neither JSON nor base64url of JSON'],
    ['%7B', 'not_json: line 1, column 2'],
    [base64url('\u0000'), 'not_json: line 1'],
    [Buffer.from([0xff, 0xfe]).toString('base64url'), 'not_json: data is neither JSON nor base64url of JSON'],
    ['%5B'.repeat(200_000), 'not_json: '],
  ])('data=%s', (said, words) => {
    expect(refusalOf(`data=${said}`)).toStartWith(words);
  });

  test('and beside other fields one of them', () => {
    expect(eventOf('data=%7B%7D&event_type=click')).toEqual({ data: '{}', event_type: 'click' });
  });
});
