// The embedded engine as a connection of @clickhouse/client, so that one adapter drives a server and the engine alike.
//
// - Bodies of inserts travel as bytes: chunks are joined, never decoded.
// - Errors are the client's ClickHouseError, parsed from the engine's words as the client does with a server's.
// - A result is complete before it is handed over; settings that only an HTTP server knows are left out.

import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type ClickHouseClientConfigOptions, parseError } from '@clickhouse/client';
import type { Engine, EngineResult, InsertStatement, QueryOptions } from './engine.ts';
import { EngineError, refuse } from './error.ts';

type Connection = NonNullable<ClickHouseClientConfigOptions['connection']>;
type QueryParams = Parameters<Connection['query']>[0];

/** Closing the client leaves the engine open: the role that opened it closes it. */
export function chdbConnection(engine: Pick<Engine, 'query' | 'insert'>): Connection {
  return {
    query: async params => {
      const { bytes } = await asClientError(engine.query(params.query, optionsOf(params)));
      return { stream: readableOf(bytes), ...answerTo(params) };
    },
    command: async params => {
      const result = await asClientError(engine.query(params.query, optionsOf(params)));
      return { ...answerTo(params), summary: summaryOf(result) };
    },
    exec: async params => {
      const result = await asClientError(
        params.values === undefined
          ? engine.query(params.query, optionsOf(params))
          : insert(params, await bytesOf(params.values)),
      );
      return { stream: readableOf(result.bytes), ...answerTo(params), summary: summaryOf(result) };
    },
    insert: async params => {
      const result = await asClientError(insert(params, await bytesOf(params.values)));
      return { ...answerTo(params), summary: summaryOf(result) };
    },
    ping: async () => {
      try {
        await engine.query('SELECT 1');
        return { success: true };
      } catch (error) {
        return { success: false, error: error as Error };
      }
    },
    close: async () => {},
  };

  /** Nothing to insert is nothing done, as on a server; the engine itself would refuse it. */
  async function insert(params: QueryParams, rows: Uint8Array): Promise<EngineResult> {
    if (rows.length === 0) return engine.query('SELECT 1 FORMAT Null', optionsOf(params));
    return engine.insert(insertOf(params.query), rows, optionsOf(params));
  }
}

/** The client puts FORMAT last, and settings beside the statement, never into it. */
function insertOf(query: string): InsertStatement {
  const found = /^([\s\S]*)\sFORMAT\s+(\w+)\s*$/i.exec(query);
  if (!found) throw refuse(62, 'Syntax error: an INSERT with rows ends with FORMAT and its name', 'SYNTAX_ERROR');
  return { into: found[1]!, format: found[2]! };
}

const httpOnly = /^(wait_end_of_query|enable_http_compression|default_format|http_.*|send_progress_in_http_headers)$/;

function optionsOf(params: QueryParams): QueryOptions {
  const settings: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(params.clickhouse_settings ?? {}))
    if (value !== undefined && !httpOnly.test(name))
      settings[name] = typeof value === 'boolean' ? value : String(value);
  return {
    settings,
    params: Object.fromEntries(
      Object.entries(params.query_params ?? {}).map(([name, value]) => [name, paramText(value)]),
    ),
    signal: params.abort_signal,
  };
}

/** A query parameter as ClickHouse's HTTP interface takes it: escaped as in TSV; text inside arrays is quoted. */
export function paramText(value: unknown, nested = false): string {
  if (value === null || value === undefined) return nested ? 'NULL' : '\\N';
  if (typeof value === 'boolean') return nested ? String(value).toUpperCase() : String(+value);
  if (typeof value === 'string') {
    const escaped = value.replace(/[\\'\t\n\r]/g, found => escapes[found]!);
    return nested ? `'${escaped}'` : escaped;
  }
  if (value instanceof Date) return String(value.getTime() / 1000);
  if (Array.isArray(value)) return `[${value.map(item => paramText(item, true)).join(',')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([key, item]) => `${paramText(key, true)}:${paramText(item, true)}`)
      .join(',')}}`;
  return String(value);
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\t': '\\t', '\n': '\\n', '\r': '\\r' };

async function bytesOf(values: string | Readable): Promise<Uint8Array> {
  if (typeof values === 'string') return Buffer.from(values);
  const chunks: Buffer[] = [];
  for await (const chunk of values) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

function readableOf(bytes: Buffer): Readable {
  const readable = new Readable({ read: () => undefined });
  if (bytes.length > 0) readable.push(bytes);
  readable.push(null);
  readable.on('error', () => undefined); // the client destroys a result that was not read with an error
  return readable;
}

const answerTo = (params: QueryParams) => ({
  query_id: params.query_id ?? randomUUID(),
  response_headers: {},
  http_status_code: 200,
});

const summaryOf = ({ summary }: EngineResult) => ({
  read_rows: String(summary.readRows),
  read_bytes: String(summary.readBytes),
  written_rows: String(summary.writtenRows),
  written_bytes: String(summary.writtenBytes),
  result_rows: String(summary.readRows),
  result_bytes: String(summary.readBytes),
  total_rows_to_read: '0',
  elapsed_ns: String(summary.elapsedNs),
});

async function asClientError<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof EngineError ? parseError(error) : error;
  }
}
