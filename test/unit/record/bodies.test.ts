// Bodies taken apart: every spelling of the same fields gives the same, and what is no body is told.

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { TableDefinition } from '../../../src/ports/tables.ts';
import { takeBodies } from '../../../src/record/bodies.ts';

const definition: TableDefinition = {
  type: 'thing',
  summary: 'A thing',
  columns: ['a', 'b"', 'c'].map(name => ({ name, type: 'String', about: 'x' })),
};

/** Of each row, of each column: what was taken; texts with a mark before them. */
function taken(...chunks: (string | Uint8Array)[]): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  const takings = definition.columns.map((_, column) => ({
    column,
    taker: {
      take: (source: Uint8Array, from: number, to: number, isText: boolean) => {
        row.push(`${isText ? '"' : ''}${Buffer.from(source.subarray(from, to)).toString()}`);
      },
      absent: () => {
        row.push(null);
      },
    },
  }));
  takeBodies(
    definition,
    chunks.map(chunk => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    takings,
    () => {
      rows.push(row);
      row = [];
    },
  );
  return rows;
}

describe('a body', () => {
  test('is taken apart by its keys, whatever stands in texts, objects and lists', () => {
    expect(taken('{"a":"x,}\\"","b\\"":{"a":"}","n":[1,{"x":"]"}]},"c":12345678901234567890}\n')).toEqual([
      ['"x,}"', '{"a":"}","n":[1,{"x":"]"}]}', '12345678901234567890'],
    ]);
    expect(taken('{"a":null,"b\\"":"","c":[]}\n{"a":true,"b\\"":"\\\\","c":-0.5e+21}')).toEqual([
      ['null', '"', '[]'],
      ['true', '"\\', '-0.5e+21'],
    ]);
  });

  test('is the same in any order, with white space, and without some of its keys', () => {
    expect(taken(' { "c" : 1 , "a":"x" }\r\n\n{"b\\"": {"x": 1} }')).toEqual([
      ['"x', null, '1'],
      [null, '{"x": 1}', null],
    ]);
    expect(taken('{}\n')).toEqual([[null, null, null]]);
  });

  test('that goes on in the next chunk is put together, wherever the cut is', () => {
    const anyRow = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 5 }), fc.array(fc.nat(400), { maxLength: 6 }), (rows, cuts) => {
        const bytes = Buffer.from(
          rows.map(([a, b, c]) => `${JSON.stringify({ a, 'b"': b.toWellFormed(), c: { c } })}\n`).join(''),
        );
        const places = [0, ...cuts.map(cut => Math.min(cut, bytes.length)).toSorted((x, y) => x - y), bytes.length];
        const chunks = places.slice(1).map((to, at) => bytes.subarray(places[at], to));
        expect(taken(...chunks)).toEqual(
          rows.map(([a, b, c]) => [`"${a}`, `"${b.toWellFormed()}`, JSON.stringify({ c })]),
        );
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['[1]', 'is no JSON object'],
    ['{"a":1', 'is no JSON'],
    ['{"a":"x', 'is no JSON'],
    ['{"a":"x\\', 'is no JSON'],
    ['{"a":{"x":"}', 'is no JSON'],
    ['{"a" 1}', 'is no JSON'],
    ['{"a":}', 'is no JSON'],
    ['{"a":1 "c":2}', 'is no JSON'],
    ['{"a":1}{"a":2}', 'is followed by something else'],
    ['{"a":1,"d":2}', 'has a field that its definition has not (d)'],
  ])('that is none is told: %s', (line, why) => {
    expect(() => taken(`${line}\n`)).toThrow(why);
  });
});
