// ClickHouse's HTTP interface over an engine of a test file's own: a readonly port and a writable one, and how to ask them.

import { afterAll, beforeAll } from 'bun:test';
import { request } from 'node:http';
import type { Engine } from '../../src/adapters/chdb/engine.ts';
import { type ClickhouseHttp, serveClickhouseHttp } from '../../src/adapters/chdb/http.ts';
import { type TemporaryEngine, temporaryEngine } from './clickhouse.ts';

export interface ClickhousePorts {
  /** These are there from the first test on. */
  readonly engine: Engine;
  readonly readonly: ClickhouseHttp;
  readonly writable: ClickhouseHttp;
}

/** To be called once in a file. There is a table ugc.t of ten rows. */
export function clickhousePorts(options: { readonly guestsWaitingMax?: number } = {}): ClickhousePorts {
  let local: TemporaryEngine;
  let readonly: ClickhouseHttp;
  let writable: ClickhouseHttp;
  beforeAll(async () => {
    local = temporaryEngine(options);
    await local.engine.query('CREATE DATABASE ugc');
    await local.engine.query('CREATE TABLE ugc.t (a UInt32, b String) ENGINE = MergeTree ORDER BY a');
    await local.engine.query("INSERT INTO ugc.t SELECT number, 'x' FROM numbers(10)");
    const serve = (isReadonly: boolean) =>
      serveClickhouseHttp({
        engine: local.engine,
        host: '127.0.0.1',
        port: 0,
        readonly: isReadonly,
        database: 'ugc',
      });
    readonly = serve(true);
    writable = serve(false);
  });
  afterAll(async () => {
    await readonly?.stop();
    await writable?.stop();
    await local?.[Symbol.asyncDispose]();
  });
  return {
    get engine() {
      return local.engine;
    },
    get readonly() {
      return readonly;
    },
    get writable() {
      return writable;
    },
  };
}

type Params = Readonly<Record<string, string>>;
export const urlOf = ({ port }: ClickhouseHttp, params: Params = {}): string =>
  `http://127.0.0.1:${port}/?${new URLSearchParams(params)}`;

export const post = (
  http: ClickhouseHttp,
  body: string | Uint8Array<ArrayBuffer>,
  params?: Params,
  init: RequestInit = {},
) => fetch(urlOf(http, params), { method: 'POST', body, ...init });

export async function rows(http: ClickhouseHttp, query: string, params?: Params): Promise<string> {
  const response = await post(http, query, params);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text.trimEnd();
}

export async function refusal(
  response: Promise<Response>,
): Promise<{ status: number; code: string | null; text: string }> {
  const { status, headers, text } = await response.then(async got => ({
    status: got.status,
    headers: got.headers,
    text: await got.text(),
  }));
  return { status, code: headers.get('x-clickhouse-exception-code'), text };
}

interface RawAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** Without fetch's own ideas of headers and encodings. */
export function raw(port: number, options: { path: string; headers: Record<string, string> }): Promise<RawAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
  const sent = request({ host: '127.0.0.1', port, ...options }, response => {
    const chunks: Buffer[] = [];
    response.on('data', chunk => chunks.push(chunk));
    response.on('end', () =>
      resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
    );
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}
