// A table with a column of each kind that the catalogue and types of files have, and values that fit it and that do not.

import type { TableDefinition } from '../../src/ports/tables.ts';
import { seenLine, seenTable } from './rows.ts';

const oddColumns = [
  ['small', 'UInt8'],
  ['signed', 'Int16'],
  ['wide', 'Int64'],
  ['maybe', 'Nullable(Float64)'],
  ['word', "Enum8('it\\'s' = 1, 'b' = 2)"],
  ['day', 'Date32'],
  ['price', 'Decimal(10, 2)'],
  ['few', 'LowCardinality(Nullable(String))'],
  ['list', 'Array(LowCardinality(String))'],
  ['flag', 'Bool'],
].map(([name, type]) => ({ name: name!, type: type!, about: "It's odd" }));

export const oddTable: TableDefinition = { ...seenTable, type: 'odd', columns: [...seenTable.columns, ...oddColumns] };

const oddRow = {
  ...{ small: 1, signed: -1, wide: '9223372036854775807', maybe: null, word: "it's", day: '2024-02-29' },
  ...{ price: 12.25, few: null, list: ['a'], flag: true },
};

/** A row that fits, but for these changes. */
export const oddLine = (changes: object = {}): string =>
  seenLine()
    .replace('"seen"', '"odd"')
    .replace(/}\n$/, `,${JSON.stringify({ ...oddRow, ...changes }).slice(1)}\n`);

/** Changes to the row, some of which the engine lets pass. */
export const oddValues: readonly object[] = [
  {},
  { small: 300 },
  { small: null },
  { small: 'x' },
  { small: 1.5 },
  { small: undefined },
  { signed: 'no' },
  { wide: 1e30 },
  { maybe: 'much' },
  { word: 'c' },
  { word: 2 },
  { day: '2024-02-30' },
  { day: '1800-01-01' },
  { price: 12_345_678_901 },
  { price: 0.001 },
  { list: 'a' },
  { list: [null] },
  { flag: 'perhaps' },
  { unknown: 1 },
  { timestamp: '9999-12-31T23:59:59.999Z' },
];
