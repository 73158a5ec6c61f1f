// One column of a row group while its rows come in.
//
// A column begins with a dictionary, and gives it up for plain values once most of them are different. Both are kept as
// bytes; null and empty lists are in the levels alone. A page ends at a row, after so many values or bytes.

import type { FieldTaker } from '../../record/bodies.ts';
import { type Bytes, bytesOf, type Numbers, numbersOf, push } from '../../record/growing.ts';
import { type Dictionary, dictionary } from './dictionary.ts';
import { append, type Physical } from './physical.ts';

/** Where a page ends: counts from the column's beginning. */
export interface PageEnd {
  readonly rows: number;
  /** Levels: of a list its texts and its empty lists, else rows. */
  readonly entries: number;
  /** Entries that are no nulls and no empty lists. */
  readonly values: number;
}

/** What a row group has in a column. */
export interface Filled {
  readonly rows: number;
  readonly pages: readonly PageEnd[];
  /** Definition and repetition levels; empty where there are none: all 1, all 0. */
  readonly defined: Numbers | null;
  readonly repeated: Numbers | null;
  /** Plain values, or of a dictionary its values and the index of each. */
  readonly plain: Bytes;
  readonly indexes: Numbers | null;
  readonly distinct: number;
}

export interface ColumnBuilder extends FieldTaker {
  /** What was taken; nothing may be taken afterwards. */
  filled(): Filled;
}

const pageEntries = 20_000;
const pageBytes = 1_048_576;
/** So many values are looked at before a dictionary is judged, and again after so many more. */
const trial = 2_048;

export function columnBuilder(physical: Physical): ColumnBuilder {
  const { kind, isNullable } = physical;
  const isList = kind === 'list';
  const pages: PageEnd[] = [];
  const defined = isNullable || isList ? numbersOf(4_096) : null;
  const repeated = isList ? numbersOf(4_096) : null;
  const indexes = numbersOf(4_096);
  const plain = bytesOf(16_384);
  let words: Dictionary | null = kind === 'bool' ? null : dictionary();
  let rows = 0;
  let entries = 0;
  let values = 0;
  let bytesInPage = 0;
  let entriesAtPage = 0;

  const giveUp = (given: Dictionary): void => {
    for (let i = 0; i < indexes.length; i++) {
      const entry = indexes.numbers[i] as number;
      append(plain, physical, given.bytes, given.starts[entry] as number, given.starts[entry + 1] as number);
    }
    words = null;
  };

  const add = (source: Uint8Array, from: number, to: number): void => {
    values++;
    bytesInPage += to - from;
    const index = words === null ? -1 : words.indexOf(source, from, to);
    if (index >= 0) push(indexes, index);
    if (words !== null && (index < 0 || (values % trial === 0 && words.size * 2 > values))) giveUp(words);
    if (index < 0) append(plain, physical, source, from, to);
  };

  const endRow = (): void => {
    rows++;
    if (entries - entriesAtPage < pageEntries && bytesInPage < pageBytes) return;
    pages.push({ rows, entries, values });
    entriesAtPage = entries;
    bytesInPage = 0;
  };

  const addNull = (): void => {
    entries++;
    if (defined !== null) push(defined, 0);
    if (repeated !== null) push(repeated, 0);
    endRow();
  };

  const addList = (source: Uint8Array, from: number, to: number): void => {
    const texts = JSON.parse(Buffer.from(source.buffer, source.byteOffset + from, to - from).toString()) as string[];
    if (!Array.isArray(texts)) throw new Error(`not a list: ${JSON.stringify(texts).slice(0, 100)}`);
    for (const [at, text] of texts.entries()) {
      const bytes = Buffer.from(text);
      entries++;
      push(defined as Numbers, 1);
      push(repeated as Numbers, at === 0 ? 0 : 1);
      add(bytes, 0, bytes.length);
    }
    if (texts.length === 0) addNull();
    else endRow();
  };

  const addValue = (source: Uint8Array, from: number, to: number): void => {
    entries++;
    if (defined !== null) push(defined, 1);
    add(source, from, to);
    endRow();
  };

  return {
    take(source, from, to, isText) {
      const isNull = !isText && source[from] === 110 && to - from === 4;
      if (isNull && !isNullable) throw new Error(`null in the column ${physical.leaf.name}, which takes none`);
      if (isNull) addNull();
      else if (isList) addList(source, from, to);
      else addValue(source, from, to);
    },
    absent() {
      if (isNullable || isList) addNull();
      else addValue(nothing[kind], 0, nothing[kind].length);
    },
    filled() {
      if (words !== null && !isWorthIt(physical, words, indexes)) giveUp(words);
      if (pages.at(-1)?.rows !== rows) pages.push({ rows, entries, values });
      const distinct = words?.size ?? 0;
      for (let i = 0; i < distinct && words !== null; i++)
        append(plain, physical, words.bytes, words.starts[i] as number, words.starts[i + 1] as number);
      return { rows, pages, defined, repeated, plain, indexes: words === null ? null : indexes, distinct };
    },
  };
}

/** What ClickHouse puts into a column of which a body says nothing. */
const nothing: Readonly<Record<Physical['kind'], Uint8Array>> = {
  text: Buffer.from(''),
  list: Buffer.from('[]'),
  int32: Buffer.from('0'),
  int64: Buffer.from('0'),
  time: Buffer.from('1970-01-01T00:00:00.000Z'),
  double: Buffer.from('0'),
  bool: Buffer.from('false'),
};

export const indexBits = (distinct: number): number => (distinct <= 1 ? 0 : 32 - Math.clz32(distinct - 1));

/** Whether the dictionary and the indexes are smaller than the values. */
function isWorthIt({ kind }: Physical, words: Dictionary, indexes: Numbers): boolean {
  const ofEntry = (entry: number): number =>
    kind === 'text' || kind === 'list'
      ? (words.starts[entry + 1] as number) - (words.starts[entry] as number) + 4
      : kind === 'int32'
        ? 4
        : 8;
  let withWords = (indexes.length * indexBits(words.size)) / 8;
  for (let entry = 0; entry < words.size; entry++) withWords += ofEntry(entry);
  let without = 0;
  for (let i = 0; i < indexes.length; i++) without += ofEntry(indexes.numbers[i] as number);
  return withWords < without;
}
