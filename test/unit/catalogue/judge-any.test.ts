// Any event at all: what is accepted reads back from its stored body as the same values.

import { expect, test } from 'bun:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { visit } from 'jsonc-parser';
import { catalogue, catalogueOf } from '../../../schemas/catalogue.ts';
import { tableOf } from '../../../schemas/table.ts';
import { isObject, judgeOf } from '../../../src/catalogue/judge.ts';
import { parseJson } from '../../../src/record/json.ts';
import { anyEventOf, jsonOf, storedOf } from '../../support/any-event.ts';
import { judgeOptions, nowMs, originOf } from '../../support/edge.ts';
import { everyKind } from '../../support/every-kind.ts';

const at = (ms: number): string => new Date(ms).toISOString();

/** Half a pair, keys that mean something to JavaScript, numbers beyond every range: what is right for one field at most. */
const odd = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('\ud83d', 'a\ude00', null, true, -0, 0.5, 2 ** 53, 1e300, 2n ** 64n),
  fc.jsonValue(),
  fc.dictionary(fc.constantFrom('__proto__', 'constructor', 'toJSON', '', '0', '-1', '\ud800'), fc.jsonValue(), {
    maxKeys: 5,
    noNullPrototype: true,
  }),
);

/** Right events of every type, every other one with something odd in it. */
const anyEvent = fc.constantFrom(everyKind, ...catalogue.types).chain(type => {
  const names = [...type.allFields.map(({ name }) => name), 'x', 'sent_at', 'event_id', 'timestamp'];
  const oddity = fc.tuple(fc.constantFrom(...names), odd).map(([name, value]) => ({ [name]: value }));
  const stamps = fc.record(
    {
      event_id: fc.oneof(
        fc.uuid().map(id => id.toUpperCase()),
        fc.constant(null),
      ),
      sent_at: fc.constantFrom(null, nowMs, at(nowMs - 1_000), at(nowMs + 100_000)),
    },
    { requiredKeys: [] },
  );
  return fc
    .tuple(anyEventOf(type, nowMs), stamps, fc.option(oddity, { nil: {}, freq: 1 }))
    .map(([event, stamped, oddity]) => ({ ...event, ...stamped, ...oddity }));
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

test('any event that is accepted has a body that reads back as the same values, on one line, in the table’s order', () => {
  const all = catalogueOf([everyKind, ...catalogue.types]);
  const judge = judgeOf({ ...judgeOptions, catalogue: all, eventBytesMax: 1_048_576 });
  let accepted = 0;
  fc.assert(
    fc.property(anyEvent, event => {
      const text = jsonOf(event);
      const given = parseJson(text) as Record<string, unknown>;
      const verdict = judge(given, originOf({ isPlain: !text.includes('\\') })); // as read.ts says it
      if (!verdict.ok) {
        expect(verdict.errors.length).toBeGreaterThan(0);
        expect(JSON.stringify(verdict.errors).isWellFormed()).toBe(true);
        return;
      }
      accepted++;
      const { body, id, type, key } = verdict.envelope;
      const definition = all.find(type)!;
      expect(body.isWellFormed()).toBe(true);
      expect(body).not.toMatch(/[\n\r\u0000]/);
      for (const keys of keysOf(body)) expect(new Set(keys).size).toBe(keys.length);
      const read = parseJson(body) as Record<string, unknown>;
      expect(Object.keys(read)).toEqual(tableOf(definition).columns.map(column => column.name));
      expect(read.event_id).toBe(id);
      for (const field of definition.allFields) {
        const wanted = storedOf(field, given[field.name]);
        if (!isDeepStrictEqual(read[field.name], wanted)) expect(read[field.name]).toEqual(wanted as never);
      }
      const user = given.user_id ?? '';
      expect(key).toBe(String(user) || (given.anonymous_id as string | undefined) || null);
      expect(isObject(read.properties)).toBe(true);
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(150); // else this test proves nothing
});
