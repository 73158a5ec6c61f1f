// `ugc query "SELECT …"`: one query, answered by whoever holds the tables just now. It only reads, unless the server that is
// asked lets anybody write. Rows are drawn here, for the terminal of who asks; in the statement's own FORMAT, where it has
// one, and with --json, they are printed as they come.

import { askReading } from '../adapters/chdb/look.ts';
import { headersOf } from '../adapters/clickhouse/client.ts';
import type { Config } from '../config/config.ts';
import { flag } from '../config/kinds.ts';
import { messageOf } from '../errors.ts';
import { command } from './arguments.ts';
import { gridOf, type Rows, type Screen } from './grid.ts';
import { columnsOut, OutputError, say, writeOut } from './output.ts';
import { asReader, engineHere, type Holder, holderOf } from './tables.ts';

export const queryFlags = { json: flag({ default: false, help: 'One JSON object a line' }) };

/** Names, types, then a row a line, each value as text: what is drawn. */
const drawnFormat = 'JSONCompactStringsEachRowWithNamesAndTypes';

export const query = command(queryFlags, async ({ args, flags, config, colours }) => {
  const sql = args[0] === '-' ? await Bun.stdin.text() : args[0];
  if (args.length !== 1 || sql === undefined || sql.trim() === '') {
    say('ugc: query takes one query in quotes, or - to read it from stdin; see ugc help query');
    return 2;
  }
  const asked = { sql, format: flags.json ? 'JSONEachRow' : drawnFormat, database: config.clickhouseDatabase };
  try {
    const { format, chunks } = await ask(asked, config);
    const columns = columnsOut();
    const screen = { columns: columns ?? Number.POSITIVE_INFINITY, colours: colours && columns !== null };
    const isEmpty = await (format === drawnFormat ? draw(chunks, screen) : pass(chunks));
    if (isEmpty && format !== 'Null') say('0 rows');
    return 0;
  } catch (error) {
    if (error instanceof OutputError) throw error;
    say(`ugc: ${messageOf(error).trim()}`);
    return 1;
  }
});

interface Asking {
  readonly sql: string;
  readonly format: string;
  readonly database: string;
}

interface Answer {
  /** What the bytes are in. */
  readonly format: string;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

async function ask(asked: Asking, config: Config): Promise<Answer> {
  const holder = await holderOf(config);
  if (holder !== null) return overHttp(asReader(holder), asked);
  const engine = engineHere(config);
  try {
    const { bytes, format } = await askReading(engine, asked.sql, asked);
    return { format, chunks: [bytes] };
  } finally {
    await engine.close();
  }
}

/**
 * Not through the client, which has no statements in a FORMAT of their own. The server holds a result back until it is
 * whole, so that an error is a status and no line among the rows; and whose answer it is, the id of the query says.
 */
async function overHttp(holder: Holder, { sql, format, database }: Asking): Promise<Answer> {
  const target = new URL(holder.url);
  const id = crypto.randomUUID();
  const params = { default_format: format, database, query_id: id, wait_end_of_query: '1' };
  for (const [name, value] of Object.entries(params)) target.searchParams.set(name, value);
  const response = await fetch(target, { method: 'POST', headers: headersOf(holder), body: sql, tls: holder.tls });
  if (!response.ok) throw new Error(await response.text());
  const given = response.headers.get('x-clickhouse-format');
  if (given === null || response.headers.get('x-clickhouse-query-id') !== id)
    throw new Error(
      `what answers at ${target.origin} is not ClickHouse, or something between changes its answers: ${response.status}, ${given === null ? 'without a format' : 'to another query'}`,
    );
  return { format: given, chunks: response.body ?? [] };
}

/** True when there was nothing. */
async function pass(chunks: Answer['chunks']): Promise<boolean> {
  let isEmpty = true;
  for await (const chunk of chunks) {
    isEmpty &&= chunk.length === 0;
    writeOut(chunk);
  }
  return isEmpty;
}

async function draw(chunks: Answer['chunks'], screen: Screen): Promise<boolean> {
  const pieces: Uint8Array[] = [];
  for await (const chunk of chunks) pieces.push(chunk);
  const read = rowsIn(Buffer.concat(pieces).toString());
  if (read.rows.length > 0) writeOut(gridOf(read, screen));
  return read.rows.length === 0;
}

/** Throws, in ClickHouse's words, when it broke off in the middle. */
function rowsIn(text: string): Rows {
  const lines = text.split('\n').filter(line => line !== '');
  const [names = [], types = [], ...rows] = lines.map((line, at) => {
    try {
      return JSON.parse(line) as string[];
    } catch {
      throw new Error(`the answer broke off: ${lines.slice(at).join(' ')}`);
    }
  });
  return { names, types, rows };
}
