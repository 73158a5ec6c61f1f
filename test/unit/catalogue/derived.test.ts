// What is known of a client, in the bodies of events: what an event says goes before it, and a body stays one that every
// version reads.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { catalogue } from '../../../schemas/catalogue.ts';
import { edgeColumns } from '../../../schemas/columns.ts';
import { defineEvent } from '../../../schemas/event.ts';
import { choice, whole } from '../../../schemas/field.ts';
import { type Derived, fillOf, marksText } from '../../../src/catalogue/derived.ts';
import { type Body, bodyOf, click, judged, rejectionOf } from '../../support/edge.ts';

const { country: _, device: __, ...bare } = click;
const marks = marksText({ browser: 'Firefox', bot: true });
const all: Derived = { country: 'FR', device: 'tablet', marks };
const edge = { browser: 'Firefox', bot: true };

const storedOf = (event: object, derived: Derived, options = {}): Body =>
  bodyOf(judged(event, { origin: { derived }, options }));

describe('a field of its own', () => {
  test('is filled where the event says nothing: absent, null or empty', () => {
    const wanted = { country: 'FR', device: 'tablet', user_id: 'u1', element: 'play' };
    for (const nothing of [{}, { country: '', device: '' }, { country: null, device: null }])
      expect(storedOf({ ...bare, ...nothing }, all)).toMatchObject(wanted);
  });

  test('is filled in the body: the event as it was sent stays what it is', () => {
    const event = { ...bare, properties: { a: 1 } };
    const sent = structuredClone(event);
    expect(storedOf(event, { ...all, isNobody: true })).toMatchObject({ country: 'FR', user_id: null });
    expect(event).toEqual(sent);
  });

  test('stays as its client says it', () => {
    expect(storedOf(click, all)).toMatchObject({ country: 'US', device: 'mobile' });
    expect(storedOf({ ...bare, country: 'DE' }, all)).toMatchObject({ country: 'DE', device: 'tablet' });
  });

  test('is empty where it was looked for and is not known, and asked of the client where nobody looks', () => {
    expect(storedOf(bare, { country: '', device: '' })).toMatchObject({ country: '', device: '' });
    expect(rejectionOf(judged(bare, { origin: { derived: { device: 'tv' } } })).paths).toEqual(['/country']);
    expect(rejectionOf(judged(bare)).paths).toEqual(['/country', '/device']);
  });

  test('stays wrong where its client says something that is no text', () => {
    expect(rejectionOf(judged({ ...bare, country: 7, device: {} }, { origin: { derived: all } })).paths).toEqual([
      '/country',
      '/device',
    ]);
  });

  test('is left alone where a type means something else by its name', () => {
    const summary = 'Another meaning';
    const about = 'another meaning';
    const fields = { country: whole({ about }), device: choice({ about, of: ['mobile', 'laser'] }) };
    const type = defineEvent({ name: 'odd', family: 'x', stream: 'event', version: 1, summary, fields, example: {} });
    expect(fillOf(type)({ a: 1 }, all)).toEqual({ a: 1 });
  });
});

describe('properties.edge', () => {
  test('stands behind what a client says there, or alone', () => {
    expect(storedOf({ ...click, properties: { a: 1 } }, all).properties).toEqual({ a: 1, edge });
    expect(storedOf({ ...click, properties: {} }, all).properties).toEqual({ edge });
    expect(storedOf(click, all).properties).toEqual({ edge });
  });

  test('is not what a client has of that name, whatever it holds, deeper down too', () => {
    for (const own of ['left', null, {}, [1]])
      expect(storedOf({ ...click, properties: { edge: own } }, all).properties).toEqual({ edge: own });
    expect(storedOf({ ...click, properties: { a: { edge: 1 } } }, all).properties).toEqual({ a: { edge: 1 }, edge });
    const inherited = JSON.parse('{"__proto__":{"edge":1}}') as object;
    const body = judged({ ...click, properties: inherited }, { origin: { derived: all } });
    expect(body.ok && body.envelope.body).toEndWith(`"properties":{"__proto__":{"edge":1},${marks}}}`);
  });

  test('is in no body where there is nothing to say, and counts among the bytes of its event', () => {
    expect(storedOf(click, { country: 'FR' }).properties).toEqual({});
    const size = judged({ ...click, properties: { a: 1 } });
    const eventBytesMax = size.ok ? size.envelope.body.length + marks.length : 0;
    const at = (max: number) =>
      judged({ ...click, properties: { a: 1 } }, { origin: { derived: all }, options: { eventBytesMax: max } });
    expect(rejectionOf(at(eventBytesMax)).reason).toBe('too_large'); // the comma
    expect(at(eventBytesMax + 1).ok).toBe(true);
  });

  test('makes a wrong event no better', () => {
    expect(rejectionOf(judged({ ...click, properties: [] }, { origin: { derived: all } })).paths).toEqual([
      '/properties',
    ]);
    expect(rejectionOf(judged({ ...click, odd: 1 }, { origin: { derived: all } })).paths).toEqual(['/odd']);
  });
});

describe('of every type', () => {
  test.each(catalogue.types.map(type => [type.name, type] as const))(
    '%s keeps its form',
    (name, { example, allFields }) => {
      const { country: _, device: __, ...given } = example;
      const body = storedOf({ ...given, event_type: name }, all);
      expect(Object.keys(body)).toEqual([...edgeColumns, ...allFields].map(({ name: key }) => key));
      expect(body).toMatchObject({ country: 'FR', device: 'tablet', properties: { edge } });
    },
  );

  test.each(catalogue.types.map(type => [type.name, type] as const))('%s is of nobody, if it can be', (name, type) => {
    const user_id = type.identity === 'integer' ? 7 : 'u1';
    const verdict = judged(
      { ...type.example, event_type: name, user_id, anonymous_id: 'a1' },
      { origin: { derived: { isNobody: true } } },
    );
    const isKept = type.identity !== 'text-or-null';
    expect(bodyOf(verdict)).toMatchObject({ user_id: isKept ? user_id : null, anonymous_id: null });
    expect(verdict).toMatchObject({ envelope: { key: isKept ? String(user_id) : null } });
  });
});

test('whatever the properties are, the body is what it would have been, and what is known', () => {
  const json = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 });
  fc.assert(
    fc.property(json, properties => {
      const event = { ...click, properties };
      const plain = judged(event);
      if (!plain.ok) return;
      const verdict = judged(event, { origin: { derived: all } });
      const body = verdict.ok ? verdict.envelope.body : '';
      const without = Object.hasOwn(properties, 'edge') ? body : body.replace(new RegExp(`,?${marks}}}$`), '}}');
      const tail = (text: string): string => text.slice(text.indexOf('"event_type"'));
      expect(tail(without)).toBe(tail(plain.envelope.body));
      expect(() => JSON.parse(body)).not.toThrow();
    }),
  );
});
