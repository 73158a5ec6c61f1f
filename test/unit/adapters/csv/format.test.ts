// CSV files to the letter, since Hive's reader and people have nothing else to go by, and what is no file of ours.

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { csvFormat } from '../../../../src/adapters/csv/format.ts';
import type { TableDefinition } from '../../../../src/ports/tables.ts';

const column = (name: string, type: string) => ({ name, type, about: 'x' });
const definition: TableDefinition = {
  type: 'thing',
  summary: 'A thing',
  columns: [
    column('word', 'String'),
    column('n', 'Nullable(Int64)'),
    column('is', 'Bool'),
    { ...column('free', 'String'), isJson: true },
  ],
};
const format = csvFormat();
const bodyOf = (word: string, n: string | number | null = null): string =>
  `{"word":${JSON.stringify(word)},"n":${n},"is":true,"free":{"a":[1,"x"]}}\n`;

async function decoded(csv: string, of = definition): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of format.decode(of, Buffer.from(csv))) parts.push(part);
  return Buffer.concat(parts).toString();
}

const encoded = (...bodies: string[]): string =>
  Buffer.from(format.encode(definition, [Buffer.from(bodies.join(''))])).toString();

test.each([
  ['a', 'a'],
  ['', '""'],
  ['a b', 'a b'],
  [' a', '" a"'],
  ['a\t', '"a\t"'],
  ['é', '"é"'],
  ['a,b', '"a,b"'],
  ['say "no"', '"say ""no"""'],
  ['\\N', '\\sN'],
  ['\\', '\\s'],
  ['a\\nb\nc\r\nd', 'a\\snb\\nc\\r\\nd'],
  ['\n', '"\\n"'],
])('the text %j is the field %s', async (word, field) => {
  // Free JSON stands first: what a type gets new comes last.
  const line = `"{""a"":[1,""x""]}",${field},\\N,true\n`;
  expect(encoded(bodyOf(word))).toBe(line);
  expect(await decoded(line)).toBe(bodyOf(word));
});

test('whatever a text holds comes back as it was', async () => {
  const words = [String.fromCharCode(...Array(33).keys()), '\u007f\u0080\u2028\ufeff😀', '"\\"\\s\\n""', '\\\\N', 'x"'];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' }))), async texts => {
      const bodies = texts.map(text => bodyOf(text));
      expect(await decoded(encoded(...bodies))).toBe(bodies.join(''));
    }),
  );
});

test('every digit is kept, and rows come back in their order', async () => {
  const bodies = Array.from({ length: 60_000 }, (_, at) =>
    bodyOf(`${'w'.repeat(100)}${at}`, at % 3 ? `922337203685477${at}` : null),
  );
  expect(await decoded(encoded(...bodies))).toBe(bodies.join(''));
  expect(encoded()).toBe('');
  expect(await decoded('')).toBe('');
});

test('a file of before the type has grown leaves the new column out', async () => {
  const small = { ...definition, columns: definition.columns.filter(({ name }) => name !== 'is') };
  const body = bodyOf('a').replace('"is":true,', '');
  const old = Buffer.from(format.encode(small, [Buffer.from(body)])).toString();
  expect(await decoded(old)).toBe(body);
});

test.each([
  ['"{}",a,\\N,true,5\n', 'more than 4 fields'],
  ['"{}",a,\\N,true', 'ends within a line'],
  ['"{}",a,,true\n', 'nothing in a column of the type Nullable(Int64)'],
  ['"{}","a,\\N,true\n', 'a quote is not closed'],
  ['"{}"x,a,\\N,true\n', 'goes on after its quote'],
  ['"{}",a\\x,\\N,true\n', '\\x stands for nothing'],
])('%j is told', async (csv, why) => {
  await expect(decoded(csv)).rejects.toThrow(why);
});
