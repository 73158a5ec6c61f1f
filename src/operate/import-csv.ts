// CSV of anybody (RFC 4180): fields with commas, quotes doubled, line breaks inside quotes, \r\n or \n. Read piece by piece.

export interface CsvReader {
  /** The rows that end in this piece. Throws when one gets longer than any can be. */
  read(piece: string): readonly (readonly string[])[];
  /** What is left: a last row without a line break. Throws when a quote is still open. */
  end(): readonly (readonly string[])[];
}

export function csvReader(rowLengthMax: number): CsvReader {
  let field = '';
  let row: string[] = [];
  let rowLength = 0;
  /** `closed`: after a quote within quotes, which is a quote or their end. */
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';

  function endField(): void {
    row.push(state === 'plain' && field.endsWith('\r') ? field.slice(0, -1) : field);
    [field, state] = ['', 'start'];
  }

  function endRow(rows: string[][]): void {
    endField();
    if (row.length > 1 || row[0] !== '') rows.push(row); // an empty line is none
    [row, rowLength] = [[], 0];
  }

  /** The characters from `at` on that are of the field alone; how many. */
  function plainRun(piece: string, at: number): number {
    const end = state === 'quoted' ? piece.indexOf('"', at) : nextOf(piece, at);
    const to = end < 0 ? piece.length : end;
    field += piece.slice(at, to);
    rowLength += to - at;
    if (rowLength > rowLengthMax)
      throw new Error(`a row is longer than ${rowLengthMax} characters: is a quote not closed?`);
    return to;
  }

  /** What stands behind a closed quote, or at the start of a field. Where to go on; null: the field has begun. */
  function quoteAt(piece: string, at: number): number | null {
    if (state === 'start') {
      state = piece[at] === '"' ? 'quoted' : 'plain';
      return state === 'quoted' ? at + 1 : null;
    }
    if (state !== 'closed' || piece[at] !== '"') return null;
    field += '"';
    state = 'quoted';
    return at + 1;
  }

  return {
    read(piece) {
      const rows: string[][] = [];
      for (let at = 0; at < piece.length; ) {
        const after = quoteAt(piece, at);
        if (after !== null) {
          at = after;
          continue;
        }
        const to = state === 'closed' ? at + (piece[at] === '\r' ? 1 : 0) : plainRun(piece, at);
        if (to >= piece.length) break;
        if (state === 'quoted') state = 'closed';
        else if (piece[to] === ',') endField();
        else if (piece[to] === '\n') endRow(rows);
        else throw new Error(`a field goes on after its quote: ${piece.slice(Math.max(0, to - 20), to + 20)}`);
        at = to + 1;
      }
      return rows;
    },
    end() {
      if (state === 'quoted') throw new Error('the file ends within a quoted field: it is not whole');
      const rows: string[][] = [];
      if (row.length > 0 || field !== '' || state === 'closed') endRow(rows);
      return rows;
    },
  };
}

function nextOf(piece: string, from: number): number {
  for (let at = from; at < piece.length; at++) if (piece[at] === ',' || piece[at] === '\n') return at;
  return -1;
}
