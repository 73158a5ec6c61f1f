// Answers of ClickHouse's HTTP interface: headers, compression, and its errors with the status ClickHouse gives them
// (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; 202 is ours: a full queue is 503 with Retry-After).

import { promisify } from 'node:util';
import { brotliCompress, constants, deflate, gzip } from 'node:zlib';
import { messageOf } from '../../errors.ts';
import type { Summary } from './engine.ts';
import { EngineError } from './error.ts';

const codesOf: Readonly<Record<number, readonly number[]>> = {
  400: [6, 8, 15, 25, 26, 27, 36, 38, 41, 44, 53, 62, 72, 117, 167, 168, 223, 321, 376, 427, 441, 675, 676],
  401: [194],
  403: [192, 193, 497, 516],
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 277, 336, 511],
  408: [159],
  413: [307],
  501: [48],
  503: [76, 202, 209, 236, 439],
};

const statusOf = new Map(
  Object.entries(codesOf).flatMap(([status, codes]) => codes.map(code => [code, Number(status)] as const)),
);

export interface Answer {
  readonly bytes: Buffer;
  readonly format: string;
  readonly summary: Summary;
}

/** Headers on every answer. */
export const commonHeaders = (queryId: string, timezone: string) => ({
  'X-ClickHouse-Server-Display-Name': 'ugc',
  'X-ClickHouse-Query-Id': queryId,
  'X-ClickHouse-Timezone': timezone,
});

export async function answerRows(
  { bytes, format, summary }: Answer,
  accepts: readonly string[],
  headers: Record<string, string>,
): Promise<Response> {
  const encoding = Object.keys(encoders).find(name => accepts.includes(name));
  const body = encoding === undefined ? bytes : await encoders[encoding]!(bytes);
  return new Response(body, {
    headers: {
      ...headers,
      'Content-Type': contentType(format),
      'X-ClickHouse-Format': format,
      'X-ClickHouse-Summary': summaryText(summary),
      ...(encoding !== undefined && { 'Content-Encoding': encoding, Vary: 'Accept-Encoding' }),
    },
  });
}

export function answerError(error: unknown, version: string, headers: Record<string, string>): Response {
  const code = error instanceof EngineError ? error.code : 1002;
  const said =
    error instanceof EngineError
      ? error.message
      : `Code: 1002. DB::Exception: ${messageOf(error)}. (UNKNOWN_EXCEPTION)`;
  const status = statusOf.get(code) ?? 500;
  return new Response(`${said} (version ${version})\n`, {
    status,
    headers: {
      ...headers,
      'Content-Type': 'text/plain; charset=UTF-8',
      'X-ClickHouse-Exception-Code': String(code),
      ...(status === 503 && { 'Retry-After': '1' }),
    },
  });
}

export function summaryText(summary: Summary): string {
  const { readRows, readBytes, writtenRows, writtenBytes, elapsedNs } = summary;
  return JSON.stringify({
    read_rows: String(readRows),
    read_bytes: String(readBytes),
    written_rows: String(writtenRows),
    written_bytes: String(writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(readRows),
    result_bytes: String(readBytes),
    elapsed_ns: String(elapsedNs),
  });
}

function contentType(format: string): string {
  if (
    /^(JSON|JSONStrings|JSONCompact|JSONCompactStrings|JSONColumnsWithMetadata|JSONColumns|JSONCompactColumns|JSONObjectEachRow)$/.test(
      format,
    )
  )
    return 'application/json; charset=UTF-8';
  if (/EachRow/.test(format)) return 'application/x-ndjson; charset=UTF-8';
  if (/^CSV/.test(format)) return `text/csv; charset=UTF-8; header=${/WithNames/.test(format) ? 'present' : 'absent'}`;
  if (/^(TabSeparated|TSV)/.test(format)) return 'text/tab-separated-values; charset=UTF-8';
  if (/^(Pretty|Vertical|Values|Markdown)/.test(format)) return 'text/plain; charset=UTF-8';
  if (format === 'XML') return 'application/xml; charset=UTF-8';
  return 'application/octet-stream';
}

/** In order of preference: what saves most for the least time. */
const encoders: Readonly<Record<string, (bytes: Buffer) => Promise<Uint8Array<ArrayBuffer>>>> = {
  zstd: async bytes => asBytes(await Bun.zstdCompress(bytes, { level: 1 })),
  gzip: async bytes => asBytes(await promisify<Buffer, object, Buffer>(gzip)(bytes, { level: 3 })),
  deflate: async bytes => asBytes(await promisify<Buffer, object, Buffer>(deflate)(bytes, { level: 3 })),
  br: async bytes => asBytes(await promisify<Buffer, object, Buffer>(brotliCompress)(bytes, brotliFast)),
};

const brotliFast = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const asBytes = (bytes: Buffer): Uint8Array<ArrayBuffer> => bytes as Buffer<ArrayBuffer>;
