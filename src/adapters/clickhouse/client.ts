// ClickHouse, asked: a server over HTTP by @clickhouse/client, or given a connection the embedded engine. Every statement
// of every part goes through here, because a 2xx is not yet a success: proxies, load balancers and wrong addresses answer
// so, too, and the client takes them at their word. A statement has succeeded once ClickHouse itself has said so:
//
// - the answer names the id that this query was given (X-ClickHouse-Query-Id), which no one but the server was told
// - rows are read as one JSON document that ends and counts them, so half a result is none; the server holds it back
//   until it is whole, so that an error is a status and not a line in the middle
// - an insert has an empty body and a summary that counts at least the rows sent (of a block repeated under its token,
//   too: rows are counted before it is recognised; views add theirs)
//
// An error is shown the same way: its header names the code that its text does, and no other query's id. Of what a proxy
// quotes, or another service says in ClickHouse's words, rows would be taken for refused for ever, and become dead letters.
//
// Whatever else comes back rejects with NotShown: what became of the statement is unknown.
// async_insert is off: servers since 26.3 have it on, and it would answer before the rows are a part.

import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import {
  type ClickHouseClientConfigOptions,
  ClickHouseError,
  ClickHouseLogLevel,
  createClient,
  type ExecParams,
  parseError,
} from '@clickhouse/client';

type Settings = Readonly<Record<string, string | number>>;

export interface Asking {
  /** Values of `{name:Type}`. */
  readonly params?: Readonly<Record<string, unknown>>;
  readonly settings?: Settings;
  readonly signal?: AbortSignal | undefined;
}

export interface Inserting extends Pick<Asking, 'settings' | 'signal'> {
  /** How many rows the chunks hold. */
  readonly rows: number;
  readonly chunks: readonly Uint8Array[];
}

/** A result as it comes: each value as ClickHouse's JSON has it. */
export interface Table {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Everything rejects with the client's errors, or with NotShown. */
export interface ClickhouseClient {
  /** All rows of a SELECT without a FORMAT. */
  read<Row>(query: string, asking?: Asking): Promise<Row[]>;
  /** All rows of a SELECT without a FORMAT, with what its columns are. */
  table(query: string, asking?: Asking): Promise<Table>;
  /** A statement without rows in it: DDL, INSERT … SELECT. */
  run(query: string, asking?: Asking): Promise<void>;
  /** An INSERT whose rows are sent along. */
  insert(query: string, inserting: Inserting): Promise<void>;
  close(): Promise<void>;
}

interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export type ClickhouseClientOptions =
  | { readonly connection: NonNullable<ClickHouseClientConfigOptions['connection']> }
  | {
      readonly url: string;
      readonly user: string;
      readonly password: string;
      /** Where a name without one is looked for; absent = the user's own. */
      readonly database?: string;
      /** The socket is given up after this; what it carried has an unknown outcome. */
      readonly timeoutMs: number;
      /** What is shown and trusted behind https. PEM; without `ca` the system's authorities count. */
      readonly tls?: Tls;
      /** Compresses inserts; pays off when the network is slower than a core. */
      readonly compression?: 'zstd' | 'gzip' | undefined;
    };

type Server = Extract<ClickhouseClientOptions, { readonly url: string }>;

/** An answer that does not show what became of the statement. `isStranger`: it is no answer of ClickHouse's at all. */
export class NotShown extends Error {
  override readonly name = 'NotShown';
  readonly isStranger: boolean;

  constructor(message: string, { isStranger }: { readonly isStranger: boolean }) {
    super(message);
    this.isStranger = isStranger;
  }
}

interface Answered {
  readonly query_id: string;
  readonly response_headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly http_status_code?: number;
}

export function clickhouseClient(options: ClickhouseClientOptions): ClickhouseClient {
  const client = driverOf(options);
  // The embedded engine's answers come from no proxy, and have no headers.
  const where = 'url' in options ? addressOf(options.url) : null;

  return {
    async read<Row>(query: string, asking: Asking = {}): Promise<Row[]> {
      const { text } = await answerTo(asked(`${query}\nFORMAT JSON`, asking));
      return rowsIn<Row>(text).rows;
    },

    async table(query, asking = {}) {
      const { text } = await answerTo(asked(`${query}\nFORMAT JSONCompact`, asking));
      const { columns, rows } = rowsIn<readonly unknown[]>(text);
      if (columns === undefined) throw notShown(`its result names no columns: ${startOf(text)}`);
      return { columns, rows };
    },

    async run(query, asking = {}) {
      const { text } = await answerTo(asked(query, asking));
      if (holdsException(text)) throw notShown(`an exception behind the status: ${startOf(text)}`);
    },

    async insert(query, { rows, chunks, settings, signal }) {
      const { text, writtenRows: written } = await answerTo({
        query,
        values: Readable.from(chunks, { objectMode: false }),
        ...(settings !== undefined && { clickhouse_settings: settings }),
        ...(signal !== undefined && { abort_signal: signal }),
      });
      if (text !== '') throw notShown(`an insert is answered with nothing, this one with ${startOf(text)}`);
      if (!(written >= rows))
        throw notShown(`its summary counts ${Number.isNaN(written) ? 'nothing' : written} of ${rows} rows`);
    },

    close: () => client.close(),
  };

  /** ClickHouse's own answer, whole. Rejects with the error it names, or with NotShown. */
  async function answerTo(params: ExecParams & { values?: Readable }) {
    // The client's own look at errors takes any text that quotes one, and keeps the headers to itself.
    const answer = await client.exec({ ...params, ignore_error_response: true });
    const text = await textOf(answer.stream);
    if (where !== null) assertClickhouse(where, answer, text);
    return { text, writtenRows: Number(answer.summary?.written_rows ?? Number.NaN) };
  }
}

const asked = (query: string, { params, settings, signal }: Asking): ExecParams => ({
  query,
  clickhouse_settings: { wait_end_of_query: 1, ...settings },
  ...(params !== undefined && { query_params: { ...params } }),
  ...(signal !== undefined && { abort_signal: signal }),
});

function driverOf(options: ClickhouseClientOptions) {
  const common = { log: { level: ClickHouseLogLevel.OFF }, clickhouse_settings: { async_insert: 0 as const } };
  if ('connection' in options) return createClient({ ...common, connection: options.connection });
  const server = withoutUser(options);
  return createClient({
    ...common,
    ...server,
    ...secured({ user: server.username, password: server.password, tls: options.tls }),
    application: 'ugc',
    ...(options.database !== undefined && { database: options.database }),
    request_timeout: options.timeoutMs,
    compression: { request: options.compression ? { codec: options.compression } : false, response: false },
    // Servers close an idle socket after 3 s or more; ours are given up before, so that an insert never meets a dead one.
    keep_alive: { enabled: true, idle_socket_ttl: 2_000, eagerly_destroy_stale_sockets: true },
  });
}

interface Who {
  readonly user: string;
  readonly password: string;
  readonly tls?: Tls | undefined;
}

const socketsMax = 10;

/** The client's own `tls` takes every certificate for who the user is, also beside a password, which servers refuse. */
function secured({ user, password, tls = {} }: Who) {
  if (tls.ca === undefined && tls.cert === undefined) return {};
  const http_agent = new Agent({ keepAlive: true, maxSockets: socketsMax, ...tls });
  const isUser = tls.cert !== undefined && password === '';
  return {
    http_agent,
    ...(isUser && { set_basic_auth_header: false, http_headers: headersOf({ user, password, tls }) }),
  };
}

/** Who asks, for a request without the client. */
export const headersOf = ({ user, password, tls = {} }: Who) => ({
  'X-ClickHouse-User': user,
  ...(tls.cert !== undefined && password === ''
    ? { 'X-ClickHouse-SSL-Certificate-Auth': 'on' }
    : { 'X-ClickHouse-Key': password }),
});

/** A user in the URL beats that of the settings; the client would say so on stderr, among lines of JSON. */
function withoutUser({ url, user, password }: Server) {
  if (!URL.canParse(url)) return { url, username: user, password };
  const { username, password: secret } = new URL(url);
  const plain = new URL(url);
  plain.username = plain.password = '';
  const given = username + secret !== '';
  return {
    url: plain.href,
    username: given ? decodeURIComponent(username) : user,
    password: given ? decodeURIComponent(secret) : password,
  };
}

/** Throws the error that ClickHouse names, and NotShown unless the answer names the id this query was given. */
function assertClickhouse(
  where: string,
  { query_id: id, response_headers: headers, http_status_code: status = 200 }: Answered,
  text: string,
): void {
  const named = headers['x-clickhouse-query-id'];
  const code = headers['x-clickhouse-exception-code'];
  // A server that refuses who asks has given the query no id yet.
  if (code !== undefined && (named === undefined || named === id)) {
    const error = parseError(text);
    if (error instanceof ClickHouseError && error.code === code) throw error;
    throw notShown(`its header tells of error ${code}, its text of none such: ${startOf(text)}`);
  }
  if (code === undefined && status >= 200 && status < 300 && named === id) return;
  const type = headers['content-type'] ?? 'no content type';
  const said = text === '' ? 'an empty body' : startOf(text);
  throw new NotShown(
    `what answers at ${where} is not ClickHouse, or something between changes its answers: ${status}, ${type}, ${said} (UGC_CLICKHOUSE_URL)`,
    { isStranger: true },
  );
}

/** A document of FORMAT JSON or JSONCompact says itself that it is whole: it ends, and it counts its rows. */
function rowsIn<Row>(text: string): { readonly rows: Row[]; readonly columns: Table['columns'] | undefined } {
  let document: {
    readonly meta?: Table['columns'];
    readonly data?: unknown;
    readonly rows?: unknown;
    readonly exception?: unknown;
  };
  try {
    document = JSON.parse(text);
  } catch {
    throw notShown(`its result is not whole: it ends in ${JSON.stringify(text.slice(-100))}`);
  }
  const { meta, data, rows, exception } = document ?? {};
  if (exception !== undefined)
    throw notShown(`an exception behind the status: ${String(exception).slice(0, saidLengthMax)}`);
  if (!Array.isArray(data) || data.length !== rows) throw notShown(`its result is none: ${startOf(text)}`);
  return { rows: data as Row[], columns: meta };
}

const holdsException = (text: string): boolean => /\bDB::Exception\b|__exception__/.test(text);

const notShown = (words: string): NotShown => new NotShown(words, { isStranger: false });

const saidLengthMax = 120;

/** The first line of what is no secret and may be a whole page. */
const startOf = (text: string): string => JSON.stringify(text.trimStart().slice(0, saidLengthMax));

const bodyBytesMax = 256 * 2 ** 20;

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += (chunk as Buffer).length;
    if (length > bodyBytesMax) throw notShown(`its answer is longer than ${bodyBytesMax} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

/** Without user and password. */
function addressOf(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
  } catch {
    return 'that address';
  }
}
