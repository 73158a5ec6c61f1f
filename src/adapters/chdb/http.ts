// ClickHouse's HTTP interface over the embedded engine, so that BI tools, Grafana, curl and any ClickHouse client over
// HTTP can query it while ugc runs.
//
// - Readonly unless asked otherwise, and GET always: the engine's readonly = 2, one statement a request. In either mode
//   no query reads or writes files, URLs or commands of this machine: by grants (config.ts), and for what grants do not
//   cover by a look at the statement's tokens.
// - Callers are guests of the engine: a bounded number runs, a bounded number waits, the next is answered 503.
// - Users and passwords are accepted and ignored, but for one: a caller that gives the operator's key as password,
//   which lies in the data folder for its owner to read, may write and does not queue with the guests. It listens where
//   it is told to, by default on loopback. A web page in a browser on this machine can reach loopback too: requests
//   under a foreign host name (DNS rebinding) and POSTs from a foreign origin are refused; a cross-site GET is
//   possible, reads only, and its answer is hidden from the page by CORS.
// - Each request is a session of its own: SET, USE and temporary tables do not last. Answers are complete before they are
//   sent, so an error is always a status, never a line in the middle of rows.

import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from '../../process/address.ts';
import { type InsertParts, readStatement, type Statement } from '../clickhouse/sql.ts';
import type { Engine, EngineResult, RunOptions } from './engine.ts';
import { refuse } from './error.ts';
import { type Answer, answerError, answerRows, commonHeaders } from './http-answer.ts';
import { type HttpQuery, readQuery } from './http-request.ts';
import { allow, refuseNul, tokensOf } from './look.ts';

export interface ClickhouseHttpOptions {
  readonly engine: Engine;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly readonly: boolean;
  /** The operator's password; none without. */
  readonly key?: string;
  /** Where a client that names no database is. */
  readonly database: string;
  readonly log?: { info(about: object, message: string): void; error(about: object, message: string): void };
}

export interface ClickhouseHttp {
  readonly port: number;
  /** Idempotent. Closes every connection; what readers asked for is killed, what writers sent runs to its end. */
  stop(): Promise<void>;
}

/** ClickHouse's max_query_size: the data of an INSERT begins within it. */
const statementBytesMax = 256 * 1024;
const readBodyBytesMax = 16 * 1024 * 1024;
const writeBodyBytesMax = 256 * 1024 * 1024;

export function serveClickhouseHttp(options: ClickhouseHttpOptions): ClickhouseHttp {
  const { engine, host, log } = options;
  const guestBodyBytesMax = options.readonly ? readBodyBytesMax : writeBodyBytesMax;
  const isLocal = isLoopback(host);

  const server = Bun.serve({
    hostname: host,
    port: options.port,
    idleTimeout: 0, // a query may take as long as it takes
    maxRequestBodySize: options.key === undefined ? guestBodyBytesMax : writeBodyBytesMax,
    fetch: answer,
    error: error => {
      log?.error({ err: error }, 'the ClickHouse HTTP port broke on a request');
      return new Response('internal error\n', { status: 500 });
    },
  });
  let stopped: Promise<void> | undefined;
  return {
    port: server.port!,
    stop: () => {
      stopped ??= server.stop(true);
      return stopped;
    },
  };

  async function answer(request: Request): Promise<Response> {
    const { pathname, search, hostname } = new URL(request.url);
    if (isLocal && !isLocalName(hostname))
      return new Response(`This port answers to localhost only\n`, { status: 403 });
    if (request.method !== 'GET' && isForeign(request))
      return new Response('Pages of other origins may not post here\n', { status: 403 });
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (isRead && (/^\/(ping|replicas_status)$/.test(pathname) || (pathname === '/' && search === '')))
      return new Response('Ok.\n');
    if (pathname !== '/') return new Response(`There is no handle ${pathname}\n`, { status: 404 });
    if (request.method !== 'GET' && request.method !== 'POST')
      return new Response('Only GET and POST\n', { status: 501 });

    let headers = commonHeaders(randomUUID(), engine.timezone);
    try {
      const isOperator = options.key !== undefined && isSame(passwordOf(request), options.key);
      const query = await readQuery(request, isOperator ? writeBodyBytesMax : guestBodyBytesMax);
      headers = commonHeaders(query.queryId ?? headers['X-ClickHouse-Query-Id'], engine.timezone);
      return await answerRows(await run(query, request.signal, isOperator), query.accepts, headers);
    } catch (error) {
      return answerError(error, engine.version, headers);
    }
  }

  async function run(query: HttpQuery, gone: AbortSignal, isOperator: boolean): Promise<Answer> {
    const readonly = (options.readonly && !isOperator) || query.readonly;
    const call: RunOptions = {
      database: query.database ?? options.database,
      settings: query.settings,
      params: query.params,
      readonly,
      guest: !isOperator,
      // A reader who hung up frees the engine; a writer's rows are stored all the same, as in ClickHouse.
      signal: readonly ? gone : undefined,
    };
    const { all, statement } = await statementOf(query);
    allow(statement, readonly);
    const format = statement.format ?? query.format;
    const { bytes, summary } = await (statement.insert === null
      ? engine.query(all.toString(), { ...call, format })
      : insert(all, statement.insert, call));
    return { bytes, summary, format };
  }

  function insert(all: Buffer, parts: InsertParts, call: RunOptions): Promise<EngineResult> {
    const { format, intoTo, settingsTo, dataFrom } = parts;
    const data = withoutLeadingSpace(all.subarray(dataFrom));
    if (data.length === 0) return engine.query('SELECT 1 FORMAT Null', call);
    const [into, settings] = [all.toString('utf8', 0, intoTo), all.toString('utf8', intoTo, settingsTo)];
    return engine.insert({ into, settings, format }, data, call);
  }

  /** What was sent as one text, which may end in the data of an INSERT, and what its statement is. */
  async function statementOf({ head, body }: HttpQuery): Promise<Found> {
    const first = Buffer.from(head === '' || body.length === 0 ? head : `${head}\n`);
    const all = Buffer.concat([first, body]);
    if (all.length === 0) throw refuse(62, 'Syntax error: Empty query', 'SYNTAX_ERROR');
    // The data of an INSERT may be long and binary: look for its beginning in a little first.
    for (const window of [first.length || 4096, statementBytesMax, all.length]) {
      const found = await look(all, window);
      if (found !== null) return found;
    }
    throw new Error('the last window holds all');
  }

  /** Null when the first `window` bytes do not tell. */
  async function look(all: Buffer, window: number): Promise<Found | null> {
    const isAll = window >= all.length;
    const text = all.toString('utf8', 0, window);
    const nul = text.indexOf('\0'); // ends a text for the engine; in binary data it is only a byte
    const statement = readStatement(await tokensOf(engine, nul < 0 ? text : text.slice(0, nul)));
    const { insert: parts } = statement;
    // ClickHouse reads on as SQL after VALUES, so all of it has to be looked at.
    if (parts !== null && parts.dataFrom < window && (parts.format !== 'Values' || (isAll && nul < 0)))
      return { all, statement };
    if (nul >= 0) throw refuseNul();
    return isAll ? { all, statement } : null;
  }
}

interface Found {
  readonly all: Buffer;
  readonly statement: Statement;
}

/** One line end or run of blanks separates a statement from its data; binary formats begin right after the line end. */
function withoutLeadingSpace(data: Buffer): Buffer {
  let at = 0;
  while (data[at] === 0x20 || data[at] === 0x09 || data[at] === 0x0d) at += 1;
  return data[at] === 0x0a ? data.subarray(at + 1) : data.subarray(at);
}

/** The password of Basic authorization, or of ClickHouse's own header; '' without. */
function passwordOf({ headers }: Request): string {
  const basic = /^Basic ([A-Za-z0-9+/=]+)$/.exec(headers.get('authorization') ?? '')?.[1];
  const pair = basic === undefined ? '' : Buffer.from(basic, 'base64').toString();
  return headers.get('x-clickhouse-key') ?? pair.slice(pair.indexOf(':') + 1);
}

/** Takes as long whatever is given. */
function isSame(given: string, key: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(key));
}

const isLocalName = (hostname: string): boolean =>
  hostname === 'localhost' || hostname.endsWith('.localhost') || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;

function isForeign({ headers, url }: Request): boolean {
  const origin = headers.get('origin');
  if (origin !== null) return origin !== new URL(url).origin;
  return headers.get('sec-fetch-site') === 'cross-site';
}
