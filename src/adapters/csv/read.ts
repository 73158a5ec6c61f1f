// Lines of a CSV file of ours as stored bodies again.

import { type Column, columnsByPlace, type TableDefinition } from '../../ports/tables.ts';
import { headsOf } from '../../record/spell.ts';

/** Of the file, at the least, for a chunk that is given back. */
const chunkBytes = 4_194_304;

const lineFeed = 10;

/** A file of fewer columns is of before the type has grown: new columns come last. More columns are an error. */
export async function* decodeCsv(definition: TableDefinition, bytes: Uint8Array): AsyncIterable<Uint8Array> {
  const heads = headsOf(definition.columns);
  const fields = columnsByPlace(definition).map(column => ({
    column: definition.columns.indexOf(column),
    spell: spellerOf(column),
  }));
  if (bytes.length > 0 && bytes.at(-1) !== lineFeed) throw new Error('the file ends within a line');
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(lineFeed, Math.min(from + chunkBytes, bytes.length) - 1) + 1;
    const lines = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();
    yield Buffer.from(spelt(lines, heads, fields));
    from = to;
  }
}

interface Field {
  /** Its place in the definition. */
  readonly column: number;
  readonly spell: (field: string) => string;
}

function spelt(lines: string, heads: readonly string[], fields: readonly Field[]): string {
  let bodies = '';
  const found: string[] = new Array(heads.length);
  for (let at = 0; at < lines.length; ) {
    found.fill('');
    for (let place = 0; ; place++) {
      const field = fields[place];
      if (field === undefined) throw new Error(`a line has more than ${heads.length} fields`);
      const end = fieldEnd(lines, at);
      found[field.column] = (heads[field.column] as string) + field.spell(unquoted(lines.slice(at, end)));
      at = end + 1;
      if (lines[end] === '\n') break;
    }
    bodies += `${found.join('')}}\n`;
  }
  return bodies;
}

/** Where the separator or line feed is that ends the field. */
function fieldEnd(lines: string, from: number): number {
  let at = from;
  if (lines[at] === '"')
    for (at++; ; at += 2) {
      at = lines.indexOf('"', at);
      if (at < 0) throw new Error('a quote is not closed');
      if (lines[at + 1] === '"') continue;
      at++;
      break;
    }
  else while (lines[at] !== ',' && lines[at] !== '\n') at++;
  if (lines[at] !== ',' && lines[at] !== '\n')
    throw new Error(`a field goes on after its quote: ${lines.slice(from, at + 20)}`);
  return at;
}

const unquoted = (field: string): string => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);

function spellerOf({ type, isJson }: Column): (field: string) => string {
  const isText = /String|UUID|DateTime64/.test(type) && !type.includes('Array(') && isJson !== true;
  return field => {
    if (field === '\\N') return 'null';
    const text = field.includes('\\') ? field.replace(/\\(.?)/g, unescaped) : field;
    if (isText) return JSON.stringify(text);
    if (text === '') throw new Error(`nothing in a column of the type ${type}`);
    return text;
  };
}

function unescaped(pair: string, letter: string): string {
  const plain = { s: '\\', n: '\n', r: '\r' }[letter];
  if (plain === undefined) throw new Error(`${pair} stands for nothing in a text`);
  return plain;
}
