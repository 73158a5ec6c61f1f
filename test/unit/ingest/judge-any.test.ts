// Any event at all: what is accepted reads back from its stored body as the same values.

import { expect, test } from 'bun:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { visit } from 'jsonc-parser';
import { catalogue } from '../../../schemas/catalogue.ts';
import { tableOf } from '../../../schemas/table.ts';
import { isObject, judgeOf } from '../../../src/ingest/judge.ts';
import { judgeOptions, nowMs, originOf } from '../../support/edge.ts';

const at = (ms: number): string => new Date(ms).toISOString();

/** Text of any characters, the awkward ones more often than not, and now and then half a surrogate pair. */
const anyText = (maxLength: number) => {
  const awkward = fc.constantFrom('\u0000', '\n', '\r', '"', '/', '\\', '\u2028', '\ufeff', '\u007f', '😀', '\uffff');
  const units = fc.oneof(
    { arbitrary: awkward, weight: 50 },
    { arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), weight: 50 },
    { arbitrary: fc.constantFrom('\ud83d', '\ude00'), weight: 1 },
  );
  return fc.array(units, { maxLength: Math.min(maxLength, 8) }).map(parts => parts.join(''));
};

const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -2, max: 2 ** 32 }),
  fc.constantFrom(-0, 3600, 2 ** 53),
);

const anyValue = fc.oneof(anyText(12), number, fc.constant(null), fc.boolean(), fc.jsonValue());

const anyProperties = fc.dictionary(
  fc.oneof(anyText(6), fc.constantFrom('__proto__', 'constructor', 'toJSON', '', '0', '-1')),
  fc.oneof(anyValue, fc.dictionary(anyText(4), anyValue)),
  { maxKeys: 5, noNullPrototype: true },
);

/** Mostly right events of every type, with something odd now and then. */
const anyEvent = fc.constantFrom(...catalogue.types).chain(type => {
  const fields = type.allFields.map(field => {
    const right =
      field.kind === 'text'
        ? anyText(20)
        : field.kind === 'object'
          ? anyProperties
          : number.map(value => Math.abs(value));
    const values: { arbitrary: fc.Arbitrary<unknown>; weight: number }[] = [
      { arbitrary: right, weight: 40 },
      { arbitrary: anyValue, weight: 1 },
    ];
    if (field.absent !== undefined)
      values.push({ arbitrary: fc.constantFrom(undefined, field.absent === null ? null : undefined), weight: 10 });
    return [field.name, fc.oneof(...values)] as const;
  });
  const stamps = {
    event_type: fc.constantFrom(type.name, ...type.aliases),
    event_id: fc.oneof(
      fc.uuid(),
      fc.uuid().map(id => id.toUpperCase()),
      fc.constantFrom(undefined, null),
    ),
    timestamp: fc.oneof(
      fc.integer({ min: nowMs - 1e9, max: nowMs }),
      fc
        .date({ min: new Date(nowMs - 1e9), max: new Date(nowMs), noInvalidDate: true })
        .map(date => date.toISOString()),
    ),
    sent_at: fc.constantFrom(undefined, undefined, null, nowMs, at(nowMs - 1_000), at(nowMs + 100_000)),
  };
  return fc.record({ ...stamps, ...Object.fromEntries(fields) });
});

/** Keys of each object in a JSON text, as written. */
function keysOf(text: string): string[][] {
  const done: string[][] = [];
  const open: string[][] = [];
  visit(text, {
    onObjectBegin: () => void open.push([]),
    onObjectProperty: name => void open.at(-1)!.push(name),
    onObjectEnd: () => void done.push(open.pop()!),
  });
  return done;
}

const zeroed = (value: unknown): unknown => JSON.parse(JSON.stringify(value)); // -0 is 0, undefined is absent

test('any event that is accepted has a body that reads back as the same values, on one line, in the table’s order', () => {
  const judge = judgeOf(judgeOptions);
  let accepted = 0;
  fc.assert(
    fc.property(anyEvent, event => {
      const given = JSON.parse(JSON.stringify(event)) as Record<string, unknown>;
      const verdict = judge(given, originOf());
      if (!verdict.ok) {
        expect(verdict.errors.length).toBeGreaterThan(0);
        expect(JSON.stringify(verdict.errors).isWellFormed()).toBe(true);
        return;
      }
      accepted++;
      const { body, id, type, key } = verdict.envelope;
      const definition = catalogue.find(type)!;
      expect(body.isWellFormed()).toBe(true);
      expect(body).not.toMatch(/[\n\r\u0000]/);
      for (const keys of keysOf(body)) expect(new Set(keys).size).toBe(keys.length);
      const read = JSON.parse(body) as Record<string, unknown>;
      expect(Object.keys(read)).toEqual(tableOf(definition).columns.map(column => column.name));
      expect(read.event_id).toBe(id);
      for (const { name, absent } of definition.allFields) {
        const wanted = given[name] === undefined ? (absent === '{}' ? {} : absent) : zeroed(given[name]);
        if (!isDeepStrictEqual(read[name], wanted)) expect(read[name]).toEqual(wanted as never);
      }
      expect(key).toBe((given.user_id || given.anonymous_id || null) as string | null);
      expect(isObject(read.properties)).toBe(true);
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(60); // else this test proves nothing
});
