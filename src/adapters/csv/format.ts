// CSV: files that Hive's OpenCSVSerde and ClickHouse read alike, and that a person can look into. No header line.
//
// An event a line, columns in the order of columnsByPlace, a quote within quotes doubled. Null is \N; in text a backslash is \s,
// a line feed \n, a carriage return \r, so a line of the file is an event whatever the text (see schemas/hive.ts for why).
// Times, numbers and true or false are as in the stored body; free JSON and lists are text: their JSON.

import type { RowFormat } from '../../ports/row-format.ts';
import { columnsByPlace } from '../../ports/tables.ts';
import { type FieldTaker, takeBodies } from '../../record/bodies.ts';
import { type Bytes, bytesOf, room } from '../../record/growing.ts';
import { decodeCsv } from './read.ts';

export const csvFormat = (): RowFormat => ({
  name: 'csv',
  extension: 'csv',
  encode(definition, chunks) {
    const given = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const file = bytesOf(Math.max(1_024, given >> 1));
    const lying = columnsByPlace(definition);
    const takings = lying.map((column, at) => ({
      column: definition.columns.indexOf(column),
      taker: fieldWriter(file, { ...column, end: at === lying.length - 1 ? lineFeed : comma }),
    }));
    takeBodies(definition, chunks, takings, () => {});
    return file.bytes.subarray(0, file.length);
  },
  decode: decodeCsv,
});

const lineFeed = 10;
const carriageReturn = 13;
const quote = 34;
const comma = 44;
const backslash = 92;
const letterN = 78;

interface Written {
  readonly name: string;
  readonly type: string;
  /** What follows the field. */
  readonly end: number;
}

function fieldWriter(file: Bytes, { name, type, end }: Written): FieldTaker {
  const isNullable = type.includes('Nullable(');
  const nothing = Buffer.from(nothingOf(type));

  const put = (source: Uint8Array, from: number, to: number): void => {
    // Each byte may become two, and quotes stand around.
    const bytes = room(file, (to - from) * 2 + 3);
    let at = file.length;
    const isQuoted = needsQuotes(source, from, to);
    if (isQuoted) bytes[at++] = quote;
    for (let i = from; i < to; i++) {
      const byte = source[i] as number;
      const escaped = byte > backslash ? 0 : escapeOf(byte);
      if (escaped === 0) bytes[at++] = byte;
      else {
        bytes[at++] = byte === quote ? quote : backslash;
        bytes[at++] = escaped;
      }
    }
    if (isQuoted) bytes[at++] = quote;
    bytes[at++] = end;
    file.length = at;
  };

  const putNull = (): void => {
    const bytes = room(file, 3);
    bytes[file.length++] = backslash;
    bytes[file.length++] = letterN;
    bytes[file.length++] = end;
  };

  return {
    take(source, from, to, isText) {
      const isNull = !isText && source[from] === 110 && to - from === 4;
      if (isNull && !isNullable) throw new Error(`null in the column ${name}, which takes none`);
      if (isNull) putNull();
      else put(source, from, to);
    },
    absent() {
      if (isNullable) putNull();
      else put(nothing, 0, nothing.length);
    },
  };
}

/** What ClickHouse puts into a column of which a body says nothing. */
function nothingOf(type: string): string {
  if (type.includes('Array(')) return '[]';
  if (type.includes('String')) return '';
  if (type === 'UUID') return '00000000-0000-0000-0000-000000000000';
  if (type.startsWith('DateTime64')) return '1970-01-01T00:00:00.000Z';
  return type === 'Bool' ? 'false' : '0';
}

/** The second of two bytes that stand for this one; 0 = it stands for itself. */
function escapeOf(byte: number): number {
  if (byte === quote) return quote;
  if (byte === backslash) return 115;
  if (byte === lineFeed) return 110;
  return byte === carriageReturn ? 114 : 0;
}

/** Nothing, which unquoted is null to ClickHouse; a separator or a quote; or white space around the text, of which there are more kinds beyond ASCII: it would be taken away. */
function needsQuotes(source: Uint8Array, from: number, to: number): boolean {
  if (to === from) return true;
  if (isEdge(source[from] as number) || isEdge(source[to - 1] as number)) return true;
  for (let i = from; i < to; i++) if (source[i] === comma || source[i] === quote) return true;
  return false;
}

const isEdge = (byte: number): boolean => byte <= 32 || byte >= 127;
