// The one look at a statement that came from outside, before the embedded engine runs it: over the HTTP port, and by a
// command on a stopped folder. What grants (config.ts) do not cover is refused here.

import { isWriting, readStatement, type Statement, type Token } from '../clickhouse/sql.ts';
import type { Engine, EngineResult, QueryOptions } from './engine.ts';
import { refuse } from './error.ts';

/** The tokens of ClickHouse's own lexer. */
export async function tokensOf(engine: Engine, sql: string): Promise<Token[]> {
  const params = { sql: sql.replace(/[\\\t\n\r]/g, found => tsvEscapes[found]!) };
  const { bytes } = await engine.query(tokenize, { params, guest: true, format: 'JSONCompactEachRow' });
  const utf8 = Buffer.from(sql);
  return bytes
    .toString()
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const [from, end, type] = JSON.parse(line) as [number, number, string];
      return { type, end, text: utf8.toString('utf8', from, end) };
    });
}

const tokenize =
  "SELECT toUInt32(t.1), toUInt32(t.2), t.3 FROM (SELECT arrayJoin(tokenizeQuery({sql:String})) AS t) WHERE t.3 NOT IN ('Whitespace', 'Comment', 'EndOfStream')";

const tsvEscapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** Throws EngineError. A verb nobody knows is left to the engine, which says where the syntax is wrong. */
export function allow(statement: Statement, readonly: boolean): void {
  const { verb, severalStatements, touchesFiles, selectsFromData } = statement;
  if (severalStatements) throw refuse(62, 'Syntax error: Multi-statements are not allowed', 'SYNTAX_ERROR');
  if (touchesFiles !== null)
    throw refuse(497, `Not enough privileges: ${touchesFiles} could touch files of this machine`, 'ACCESS_DENIED');
  if (readonly && isWriting(verb)) throw refuse(164, 'Cannot execute query in readonly mode', 'READONLY');
  if (selectsFromData) throw refuse(48, 'INSERT … SELECT … FORMAT is not supported here', 'NOT_IMPLEMENTED');
}

/** A NUL byte ends a text for the engine, which would not see what follows. */
export const refuseNul = () => refuse(62, 'Syntax error: a NUL byte in the statement', 'SYNTAX_ERROR');

/** What anybody may ask, of an engine in this process; it only reads, whatever `options` say. Rejects with EngineError. */
export async function askReading(
  engine: Engine,
  sql: string,
  options: Omit<QueryOptions, 'readonly'> & { readonly format: string; readonly readonly?: true | 'settings-too' },
): Promise<EngineResult & { readonly format: string }> {
  if (sql.includes('\0')) throw refuseNul();
  const statement = readStatement(await tokensOf(engine, sql));
  allow(statement, true);
  const result = await engine.query(sql, { readonly: true, ...options });
  return { ...result, format: statement.format ?? options.format };
}
