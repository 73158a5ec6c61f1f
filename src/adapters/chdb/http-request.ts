// What a request to ClickHouse's HTTP interface asks for, from everywhere it may say so: URL, headers, multipart form,
// body. Knows nothing of the engine. Refusals are EngineErrors with ClickHouse's codes.

import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, zstdDecompress } from 'node:zlib';
import { decodeLz4 } from '../../record/lz4-frame.ts';
import { refuse } from './error.ts';

export interface HttpQuery {
  readonly queryId: string | undefined;
  /** Of the `query` parameter; '' when the statement is in the body. */
  readonly head: string;
  readonly body: Buffer;
  readonly database: string | undefined;
  /** Format of the answer where the statement names none. */
  readonly format: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  /** Asked for by GET or by the setting. */
  readonly readonly: boolean;
  /** Encodings the client takes, lower case; empty unless it set enable_http_compression. */
  readonly accepts: readonly string[];
}

/** Parameters that are not settings. Sessions, roles and users mean nothing to an engine with one user. */
const interfaceParams = new Set(
  (
    'query database default_format user password query_id session_id session_timeout session_check close_session ' +
    'compress decompress quota_key role client_protocol_version stacktrace buffer_size wait_end_of_query ' +
    'enable_http_compression http_zlib_compression_level send_progress_in_http_headers readonly ' +
    'http_headers_progress_interval_ms http_response_buffer_size http_response_headers ' +
    'cancel_http_readonly_queries_on_client_close network_compression_method'
  ).split(' '),
);

export async function readQuery(request: Request, bodyBytesMax: number): Promise<HttpQuery> {
  const { headers } = request;
  const isForm = /^multipart\/form-data/i.test(headers.get('content-type') ?? '');
  const given = new Map(new URL(request.url).searchParams);
  if (isForm) for (const [name, value] of await readForm(request)) given.set(name, value);
  const body = isForm ? Buffer.alloc(0) : await readBody(request, bodyBytesMax);

  for (const name of ['compress', 'decompress'])
    if (given.get(name) === '1')
      throw refuse(48, `${name}=1 is not supported here: use Accept-Encoding and Content-Encoding`, 'NOT_IMPLEMENTED');
  const settings: Record<string, string> = {};
  const params: Record<string, string> = {};
  for (const [name, value] of given) {
    if (/^param_\w+$/.test(name)) params[name.slice('param_'.length)] = value;
    else if (interfaceParams.has(name)) continue;
    else if (/^[A-Za-z_]\w*$/.test(name)) settings[name] = value;
    else
      throw refuse(115, `Setting ${name} is neither a builtin setting nor started with the prefix`, 'UNKNOWN_SETTING');
  }
  const compresses = given.get('enable_http_compression') === '1';
  return {
    queryId: given.get('query_id') ?? undefined,
    head: given.get('query') ?? '',
    body,
    database: given.get('database') ?? headers.get('x-clickhouse-database') ?? undefined,
    format: given.get('default_format') ?? headers.get('x-clickhouse-format') ?? 'TabSeparated',
    settings,
    params,
    readonly: request.method === 'GET' || Number(given.get('readonly') ?? 0) > 0,
    accepts: compresses ? acceptedEncodings(headers.get('accept-encoding') ?? '') : [],
  };
}

function acceptedEncodings(header: string): string[] {
  return header
    .toLowerCase()
    .split(',')
    .map(item => item.split(';') as [string, string?])
    .filter(([, weight]) => !/q=0(\.0*)?\s*$/.test(weight ?? ''))
    .map(([name]) => name.trim());
}

async function readForm(request: Request): Promise<[string, string][]> {
  const form = await request.formData();
  const fields: [string, string][] = [];
  for (const [name, value] of form) {
    if (typeof value !== 'string' && name !== 'query' && !name.startsWith('param_'))
      throw refuse(48, 'External tables are not supported here', 'NOT_IMPLEMENTED');
    fields.push([name, typeof value === 'string' ? value : await (value as Blob).text()]);
  }
  return fields;
}

async function readBody(request: Request, bytesMax: number): Promise<Buffer> {
  const sent = Buffer.from(await request.arrayBuffer());
  const encoding = request.headers.get('content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding === 'identity' || sent.length === 0) return sent;
  const decode = decoders[encoding];
  if (!decode)
    throw refuse(
      48,
      `Content-Encoding ${encoding} is not supported here: use one of ${Object.keys(decoders).join(', ')}`,
      'NOT_IMPLEMENTED',
    );
  try {
    return await decode(sent, bytesMax);
  } catch (error) {
    throw refuse(
      354,
      `The body is not ${encoding}, or more than ${bytesMax} bytes of it: ${error}`,
      'ZLIB_INFLATE_FAILED',
    );
  }
}

const decoders: Readonly<Record<string, (sent: Buffer, maxOutputLength: number) => Promise<Buffer>>> = {
  gzip: (sent, maxOutputLength) => promisify<Buffer, object, Buffer>(gunzip)(sent, { maxOutputLength }),
  deflate: (sent, maxOutputLength) => promisify<Buffer, object, Buffer>(inflate)(sent, { maxOutputLength }),
  br: (sent, maxOutputLength) => promisify<Buffer, object, Buffer>(brotliDecompress)(sent, { maxOutputLength }),
  lz4: async (sent, bytesMax) => decodeLz4(sent, bytesMax),
  zstd: (sent, maxOutputLength) => promisify<Buffer, object, Buffer>(zstdDecompress)(sent, { maxOutputLength }),
};
