// Event types from files: what each form becomes, and that everything else is refused with its place.

import { describe, expect, test } from 'bun:test';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import type { EventType } from '../../../schemas/event.ts';
import { type FileProblem, typeFromFile } from '../../../schemas/from-file.ts';
import { hiveDdl } from '../../../schemas/hive.ts';
import { typePage } from '../../../schemas/markdown.ts';
import { changesOf, publishedOf } from '../../../schemas/published.ts';
import { typescriptOf } from '../../../schemas/typescript.ts';
import { bodyOf, judged, nowIso, rejectionOf } from '../../support/edge.ts';
import { typeJson } from '../../support/type-files.ts';

const made = (json: unknown): EventType => {
  const result = typeFromFile(typeof json === 'string' ? json : JSON.stringify(json, null, 2));
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.type;
};

const problemsOf = (json: unknown): readonly FileProblem[] => {
  const result = typeFromFile(typeof json === 'string' ? json : JSON.stringify(json, null, 2));
  return result.ok ? [] : result.problems;
};

const withProperty = (property: unknown, required: readonly string[] = ['film_id']) => {
  const { properties } = typeJson('t');
  return typeJson('t', { properties: { ...properties, own: property }, required });
};

const own = (property: unknown, required?: readonly string[]) =>
  made(withProperty(property, required)).allFields.find(({ name }) => name === 'own')!;

test('every form of property has its column, as a built-in field has', () => {
  const columns = (property: object) => [own({ ...property }).column, own(property).absent];
  expect(columns({ type: 'string' })).toEqual(['Nullable(String)', 'null']);
  expect(columns({ type: 'string', enum: ['a', 'b'] })).toEqual(['LowCardinality(Nullable(String))', 'null']);
  expect(columns({ type: 'string', format: 'uuid' })).toEqual(['Nullable(UUID)', 'null']);
  expect(columns({ type: 'string', format: 'date-time' })).toEqual(["Nullable(DateTime64(3, 'UTC'))", 'null']);
  expect(columns({ type: 'integer' })).toEqual(['Nullable(Int64)', 'null']);
  expect(columns({ type: 'integer', minimum: -5, maximum: 5 })).toEqual(['Nullable(Int32)', 'null']);
  expect(columns({ type: ['integer', 'null'], minimum: 0, maximum: 200 })).toEqual(['Nullable(UInt8)', 'null']);
  expect(columns({ type: 'number' })).toEqual(['Nullable(Float64)', 'null']);
  expect(columns({ type: 'boolean' })).toEqual(['Nullable(Bool)', 'null']);
  expect(columns({ type: 'array', items: { type: 'string' } })).toEqual(['Array(String)', '[]']);
  expect(columns({ type: 'object' })).toEqual(['String', '{}']);
  expect(columns({ type: 'string', description: 'x', examples: ['y'] })).toEqual(['Nullable(String)', 'null']);
});

test('a required one is no null', () => {
  const required = { ...withProperty({ type: 'boolean' }, ['film_id', 'own']) };
  const result = typeFromFile(
    JSON.stringify({ ...required, examples: [{ film_id: 'f', own: true, timestamp: nowIso }] }),
  );
  expect(result.ok && result.type.allFields.find(({ name }) => name === 'own')).toMatchObject({ column: 'Bool' });
});

test('it is judged as a built-in type is, and everything else follows from it', () => {
  const type = made(typeJson('trailer_watched', { aliases: ['TrailerWatched'], version: 3, retentionDays: 30 }));
  const options = { catalogue: catalogueOf([...catalogue.types, type]) };
  const event = { event_type: 'TrailerWatched', timestamp: nowIso, film_id: 'f1' };
  expect(bodyOf(judged(event, { options }))).toMatchObject({
    event_type: 'trailer_watched',
    schema_version: 3,
    film_id: 'f1',
    seconds: null,
  });
  const { paths, text } = rejectionOf(judged({ ...event, film_id: 'x'.repeat(65), seconds: 1.5 }, { options }));
  expect(paths).toEqual(['/film_id', '/seconds']);
  expect(text).toContain('text of at most 64 characters');
  expect(type).toMatchObject({ family: 'trailers', stream: 'view', retentionDays: 30, identity: 'text-or-null' });
  expect(type.example.event_type).toBe('trailer_watched');
  expect(typePage(type)).toContain('## trailer_watched');
  expect(hiveDdl(type)).toContain('`ugc`.`trailer_watched_parquet`');
  expect(typescriptOf([type])).toContain('type TrailerWatchedEvent');
});

describe('what is outside of the subset is refused with its place', () => {
  const refused: Readonly<Record<string, readonly [json: unknown, pointer: string, words: RegExp]>> = {
    'a keyword nobody knows': [
      withProperty({ type: 'string', patern: 'x' }),
      '/properties/own/patern',
      /not understood/,
    ],
    'another way to say what a value is': [
      withProperty({ type: 'string', oneOf: [] }),
      '/properties/own/oneOf',
      /not understood/,
    ],
    'a keyword of another kind': [
      withProperty({ type: 'boolean', maxLength: 3 }),
      '/properties/own/maxLength',
      /not understood/,
    ],
    'a reference': [withProperty({ $ref: '#/x' }), '/properties/own/type', /must be one of string/],
    'several types': [withProperty({ type: ['string', 'integer'] }), '/properties/own/type', /must be one of/],
    'an inherited name as a type': [withProperty({ type: 'constructor' }), '/properties/own/type', /must be one of/],
    'true as a schema': [withProperty(true), '/properties/own', /must be an object/],
    'an enum of numbers': [withProperty({ type: 'string', enum: [1] }), '/properties/own/enum', /texts/],
    'an enum with a text twice': [
      withProperty({ type: 'string', enum: ['a', 'a'] }),
      '/properties/own/enum',
      /different/,
    ],
    'a format beside an enum': [
      withProperty({ type: 'string', format: 'uuid', enum: ['a'] }),
      '/properties/own',
      /one of enum and format/,
    ],
    'lengths the wrong way round': [
      withProperty({ type: 'string', minLength: 3, maxLength: 2 }),
      '/properties/own',
      /minLength above/,
    ],
    'a length that is none': [
      withProperty({ type: 'string', minLength: -1 }),
      '/properties/own/minLength',
      /whole number/,
    ],
    'bounds the wrong way round': [
      withProperty({ type: 'integer', minimum: 2, maximum: 1 }),
      '/properties/own',
      /above/,
    ],
    'a bound beyond 2^53': [
      withProperty({ type: 'integer', minimum: 0, maximum: 2 ** 60 }),
      '/properties/own/maximum',
      /2\^53/,
    ],
    'a list of numbers': [
      withProperty({ type: 'array', items: { type: 'number' } }),
      '/properties/own/items',
      /list holds texts/,
    ],
    'a list that is required': [
      withProperty({ type: 'array', items: { type: 'string' } }, ['own']),
      '/properties/own',
      /empty when absent/,
    ],
    'required, and null': [
      withProperty({ type: ['string', 'null'] }, ['own']),
      '/properties/own',
      /leave it out of required/,
    ],
    'properties of an object': [
      withProperty({ type: 'object', properties: {} }),
      '/properties/own/properties',
      /not understood/,
    ],
    'a name that is the server’s': [
      typeJson('t', { properties: { received_at: { type: 'string' } }, required: [] }),
      '/properties/received_at',
      /has already/,
    ],
    'a name that is a prototype’s': [
      typeJson('t', { properties: { constructor: { type: 'string' } }, required: [] }),
      '',
      /cannot be called/,
    ],
    'a required one that is none': [typeJson('t', { required: ['nothing'] }), '/required', /names nothing/],
    'oneOf at the top': [typeJson('t', { oneOf: [] }), '/oneOf', /not understood/],
    'free fields': [typeJson('t', { additionalProperties: true }), '/additionalProperties', /must be false/],
    'a name with capitals': [typeJson('T'), '/name', /lower case/],
    'a family with a dot': [typeJson('t', { family: 'a.b' }), '/family', /lower case/],
    'another stream': [typeJson('t', { stream: 'views' }), '/stream', /event, view, content/],
    'version 0': [typeJson('t', { version: 0 }), '/version', /from 1 to 65535/],
    'an alias with a space': [typeJson('t', { aliases: ['a b'] }), '/aliases', /names/],
    'examples that are no events': [typeJson('t', { examples: ['x'] }), '/examples', /a list of events/],
    'an example that does not fit': [
      typeJson('t', { examples: [{ timestamp: nowIso, film_id: 7 }] }),
      '/examples',
      /does not fit: \/film_id/,
    ],
    'a description that is no text': [typeJson('t', { description: 7 }), '/description', /text/],
    'a list': [[], '', /must be an object/],
    nothing: ['', '', /is not JSON/],
  };
  for (const [what, [json, pointer, words]] of Object.entries(refused))
    test(what, () => {
      const problems = problemsOf(json);
      const found = problems.find(problem => problem.pointer === pointer);
      expect({ problems, found: found?.message ?? '' }).toMatchObject({ found: expect.stringMatching(words) });
    });
});

describe('ordinary JSON Schema is taken', () => {
  const warningsOf = (json: unknown): string[] => {
    const result = typeFromFile(JSON.stringify(json, null, 2));
    if (!result.ok) throw new Error(JSON.stringify(result.problems));
    return result.warnings.map(({ pointer, message }) => `${pointer} ${message}`);
  };
  const takes = (property: object, value: unknown): boolean => {
    const type = made(withProperty(property));
    return judged(
      { event_type: 't', timestamp: nowIso, film_id: 'f', own: value },
      { options: { catalogue: catalogueOf([type]) } },
    ).ok;
  };

  test('without description and examples: an example is made, and what is missing is told', () => {
    const { description: _, examples: __, ...bare } = typeJson('t');
    expect(warningsOf(bare)).toEqual([
      ' has no description: say in a clause what such an event tells',
      '/properties/seconds has no description',
    ]);
    const type = made(bare);
    expect(type.summary).toBe('t');
    expect(type.example).toEqual({ event_type: 't', timestamp: '2024-10-03T14:30:00Z', film_id: 'film_id' });
    expect(warningsOf({ ...bare, title: 'A trailer' })).toHaveLength(2);
    expect(made({ ...bare, title: 'A trailer' }).summary).toBe('A trailer');
  });

  test('an example that is made fits, whatever the fields are and whoever the type is of', () => {
    const properties = {
      a_text: { type: 'string', minLength: 20, maxLength: 30 },
      short: { type: 'string', maxLength: 2 },
      word: { type: 'string', enum: ['one', 'two'] },
      id: { type: 'string', format: 'uuid' },
      at: { type: 'string', format: 'date-time' },
      low: { type: 'integer', minimum: -9, maximum: -5 },
      high: { type: 'integer', minimum: 5 },
      wide: { type: 'integer' },
      real: { type: 'number', minimum: 0.5 },
      below: { type: 'number', maximum: -1 },
      yes: { type: 'boolean' },
      said: { type: 'string', examples: ['as said'] },
      list: { type: 'array', items: { type: 'string' } },
    };
    const required = Object.keys(properties).filter(name => name !== 'list');
    for (const more of [{}, { identity: 'integer' }, { identity: 'text' }, { family: 'film' }]) {
      const type = made({ name: 't', type: 'object', properties, required, ...more });
      expect(type.misfits(type.example, 10)).toEqual([]);
      expect(type.example).toMatchObject({ said: 'as said', high: 5, low: -5, below: -1 });
    }
  });

  test('a least length is held to, and a change of it is one that breaks', () => {
    const property = { type: 'string', minLength: 2, maxLength: 3 };
    expect(['x', 'xx', 'xxx', 'xxxx', ''].map(text => takes(property, text))).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(takes(property, null)).toBe(true);
    const was = publishedOf([made(withProperty({ type: 'string' }))]);
    const breaks = changesOf(was, [made(withProperty(property))]).map(({ breaks: isBreak }) => isBreak);
    expect(breaks).toEqual([true]);
    expect(
      changesOf(publishedOf([made(withProperty(property))]), [made(withProperty({ type: 'string' }))]),
    ).toMatchObject([{ breaks: false }]);
  });

  test('one bound of a number is held to', () => {
    const minimum = { type: 'integer', minimum: 3 };
    expect([2, 3, 2 ** 53 - 1, 3.5].map(value => takes(minimum, value))).toEqual([false, true, true, false]);
    const maximum = { type: 'integer', maximum: 3 };
    expect([4, 3, -(2 ** 53) + 1].map(value => takes(maximum, value))).toEqual([false, true, true]);
    const real = { type: 'number', maximum: 0.5 };
    expect([0.6, 0.5, -1e300].map(value => takes(real, value))).toEqual([false, true, true]);
    expect([own(minimum).column, own(maximum).column, own(real).column]).toEqual([
      'Nullable(Int64)',
      'Nullable(Int64)',
      'Nullable(Float64)',
    ]);
  });

  test.each([
    ['default', { type: 'integer', default: 3 }],
    ['pattern', { type: 'string', pattern: '^a' }],
    ['format', { type: 'string', format: 'email' }],
    ['multipleOf', { type: 'number', multipleOf: 2 }],
    ['exclusiveMinimum', { type: 'number', exclusiveMinimum: 2 }],
    ['minItems', { type: 'array', items: { type: 'string' }, minItems: 1 }],
    ['minLength', { type: 'string', format: 'uuid', minLength: 36 }],
  ])('%s is left out, with a warning of where it stands', (keyword, property) => {
    const described = { ...property, description: 'x' };
    const warnings = warningsOf(withProperty(described)).filter(warning => !warning.startsWith('/properties/seconds'));
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^/properties/own/${keyword} is not `))]);
  });

  test('what only tells is taken without a word', () => {
    const told = { title: 'x', deprecated: true, readOnly: false, $comment: 'x', examples: ['x'], description: 'x' };
    expect(warningsOf(withProperty({ type: 'string', ...told })).join()).not.toContain('/own');
  });
});

test('a name given twice, a comma too many and a comment are told with their lines', () => {
  const text = JSON.stringify(typeJson('t'), null, 2);
  expect(problemsOf(text.replace('"family"', '"name": "u",\n  "family"'))).toEqual([
    { line: 4, pointer: '/name', message: 'is given twice' },
  ]);
  expect(problemsOf(text.replace(/\n}$/, ',\n}'))[0]).toMatchObject({ line: text.split('\n').length });
  expect(problemsOf(`// x\n${text}`)[0]).toMatchObject({ line: 1, message: expect.stringContaining('is not JSON') });
});

test('everything that is wrong is told at once, in the order of the file', () => {
  const wrong = typeJson('T', {
    oneOf: [],
    properties: { a: { type: 'x' }, b: { type: 'y' } },
    required: [],
    version: 0,
  });
  const lines = problemsOf(wrong).map(({ line }) => line);
  expect(lines.length).toBeGreaterThanOrEqual(5);
  expect(lines).toEqual(lines.toSorted((a, b) => a - b));
});
