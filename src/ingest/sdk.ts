// The SDK for pages, out of the executable: /sdk.js, the one of this server, asked for again every few minutes; and
// /sdk/<hash>.js, that very text, kept for ever. Of a hash that another version had the answer is the way to /sdk.js.

import type { Answer } from '../http/answer.ts';
import type { Paths } from '../http/openapi.ts';
import { type Call, type Handler, noRoute, type Route } from '../http/route.ts';

/** In the executable a literal stands in its place. */
declare const builtSdk: string;

const script = typeof builtSdk === 'undefined' ? '/* ugc runs from its source: npm run build */' : builtSdk;
const hash = new Bun.CryptoHasher('sha256').update(script).digest('hex').slice(0, 16);
const etag = `"${hash}"`;
const secondsOfEver = 31_536_000;

/** Compressed when somebody first asks. */
let compressed: Uint8Array<ArrayBuffer> | null = null;

function answerOf({ request: { headers } }: Call, cacheControl: string): Answer {
  const common = {
    etag,
    'cache-control': cacheControl,
    vary: 'accept-encoding',
    'access-control-allow-origin': '*',
    'cross-origin-resource-policy': 'cross-origin',
  };
  if (headers.get('if-none-match')?.includes(etag) === true) return { status: 304, headers: common, body: '' };
  const typed = { ...common, 'content-type': 'text/javascript; charset=utf-8', 'x-content-type-options': 'nosniff' };
  if (headers.get('accept-encoding')?.includes('gzip') !== true) return { status: 200, headers: typed, body: script };
  compressed ??= Bun.gzipSync(script, { level: 9 });
  return { status: 200, headers: { ...typed, 'content-encoding': 'gzip' }, body: '', bytes: compressed };
}

const newest: Handler = call => answerOf(call, 'public, max-age=300, stale-while-revalidate=86400');

const kept: Handler = call => {
  const { file = '' } = call.params;
  if (file === `${hash}.js`) return answerOf(call, `public, max-age=${secondsOfEver}, immutable`);
  if (!/^[0-9a-f]{16}\.js$/.test(file)) return noRoute(call.request, [], 'the SDK is /sdk.js');
  return {
    status: 307,
    headers: { location: '/sdk.js', 'cache-control': 'no-cache', 'access-control-allow-origin': '*' },
    body: '',
  };
};

export const sdkRoutes: readonly Route[] = [
  { method: 'GET', path: '/sdk.js', handler: newest },
  { method: 'GET', path: '/sdk/:file', handler: kept },
];

const scriptAnswers = {
  200: {
    description: 'A script',
    headers: { ETag: { description: 'The hash in its lasting address', schema: { type: 'string' } } },
    content: { 'text/javascript': { schema: { type: 'string' } } },
  },
  304: { description: 'The client has it' },
};

export const sdkPaths: Paths = {
  '/sdk.js': {
    get: {
      operationId: 'getSdk',
      tags: ['events'],
      summary: 'The SDK for pages, as one script',
      responses: scriptAnswers,
    },
  },
  '/sdk/{file}': {
    get: {
      operationId: 'getKeptSdk',
      tags: ['events'],
      summary: 'The same by its hash, to be kept for ever',
      parameters: [
        {
          name: 'file',
          in: 'path',
          required: true,
          description: 'The ETag of /sdk.js without its quotes, and .js',
          schema: { type: 'string', pattern: '^[0-9a-f]{16}\\.js$' },
        },
      ],
      responses: {
        ...scriptAnswers,
        307: { description: 'The hash is of another version: to /sdk.js' },
        404: { description: 'No hash' },
      },
    },
  },
};
