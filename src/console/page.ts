// What a browser is given at `/`: a page that holds nothing, its script and its style sheet. What it shows it asks of the
// routes under /v1/console/ and of GET /v1/stream, with whatever key its reader gives it. Its policy lets it load and
// send nothing but to this server; a file's name says what stands in it, so it may be kept for ever.

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { Answer } from '../http/answer.ts';
import type { Handler, Route } from '../http/route.ts';
import type { BuiltConsole } from './built.ts';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const closed = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

export interface ConsolePage {
  /** What is at `/` for a browser. */
  readonly answer: Answer;
  /** Of what it loads. */
  readonly routes: readonly Route[];
}

export function consolePage({ script, style }: BuiltConsole): ConsolePage {
  const scriptPath = pathOf(script, 'js');
  const stylePath = pathOf(style, 'css');
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ugc</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${stylePath}">
<script type="module" src="${scriptPath}"></script>
</head>
<body>
<div id="console"></div>
<noscript>This page needs JavaScript. <a href="/apidocs">What can be asked of this server</a></noscript>
</body>
</html>
`;
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    vary: 'accept',
    ...closed,
  };
  return {
    answer: { status: 200, headers, body: html },
    routes: [
      { method: 'GET', path: scriptPath, handler: fileOf('text/javascript; charset=utf-8', script) },
      { method: 'GET', path: stylePath, handler: fileOf('text/css; charset=utf-8', style) },
    ],
  };
}

const pathOf = (text: string, ending: string): string =>
  `/console/${createHash('sha256').update(text).digest('hex').slice(0, 16)}.${ending}`;

/** Compressed when the first browser asks: most processes are never asked. */
function fileOf(type: string, text: string): Handler {
  const headers = {
    'content-type': type,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
    ...closed,
  };
  let zipped: Uint8Array<ArrayBuffer> | null = null;
  return ({ request }) => {
    if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return { status: 200, headers, body: text };
    zipped ??= new Uint8Array(gzipSync(text, { level: 9 }));
    return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body: '', bytes: zipped };
  };
}
