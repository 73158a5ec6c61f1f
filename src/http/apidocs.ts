// What a port says of itself: the document at /openapi.json, and the page at /apidocs, Swagger UI over it, out of the
// executable. The page's policy lets it talk to this server alone, so nothing it holds could load anything from
// elsewhere.

import stylePath from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' };
import bundlePath from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' };
import { type Answer, json } from './answer.ts';
import { type ApiPart, documentOf, type Guard, getOf, jsonOf, presentText } from './openapi.ts';
import type { Route } from './route.ts';

// Of an answer with several media types the UI names the first and shows the example of whatever the 200 has: this shows
// the one it names.
const start = `const shownAsNamed = () => ({
  wrapComponents: {
    response: (Response, { React }) => props => {
      const named = props.response.get('content')?.keySeq().first();
      return React.createElement(Response, named === undefined ? props : { ...props, contentType: named });
    },
  },
});

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  validatorUrl: null,
  plugins: [shownAsNamed],
});
`;

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ugc: API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/apidocs/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<noscript>This page needs JavaScript; the document itself is <a href="/openapi.json">/openapi.json</a>.</noscript>
<script src="/apidocs/swagger-ui-bundle.js"></script>
<script src="/apidocs/start.js"></script>
</body>
</html>
`;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'", // the UI styles its own elements
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const common = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const answerOf = (type: string, body: string, more: Record<string, string> = {}): Answer => ({
  status: 200,
  headers: { 'content-type': type, ...common, ...more },
  body,
});

/** The files of the page: they change with the executable alone. */
const fileOf = (type: string, path: string) => async (): Promise<Answer> =>
  answerOf(type, await Bun.file(path).text(), { 'cache-control': 'public, max-age=3600' });

const pages: readonly Route[] = [
  { method: 'GET', path: '/apidocs', handler: () => answerOf('text/html; charset=utf-8', page) },
  { method: 'GET', path: '/apidocs/start.js', handler: () => answerOf('text/javascript; charset=utf-8', start) },
  {
    method: 'GET',
    path: '/apidocs/swagger-ui-bundle.js',
    handler: fileOf('text/javascript; charset=utf-8', bundlePath),
  },
  { method: 'GET', path: '/apidocs/swagger-ui.css', handler: fileOf('text/css; charset=utf-8', stylePath) },
];

const documentApi: ApiPart = {
  tags: [{ name: 'documentation', description: 'This' }],
  paths: {
    '/openapi.json': getOf('getOpenApi', 'documentation', 'This document', {
      200: { description: 'OpenAPI 3.1', content: jsonOf({ type: 'object' }) },
    }),
    '/apidocs': getOf('getApiDocs', 'documentation', 'This document, to read and try', {
      200: { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } },
    }),
  },
};

export interface DocumentedOptions {
  readonly version: string;
  /** As they are just now: a part that has changed is another object. */
  readonly parts: () => readonly ApiPart[];
  readonly routes: readonly Route[];
  /** What who asks for what needs something has to show. */
  readonly guards: readonly Guard[];
}

/** These routes, and those of the document that tells of them. */
export function documented({ version, parts, routes, guards }: DocumentedOptions): readonly Route[] {
  const all: readonly Route[] = [
    ...routes,
    { method: 'GET', path: '/openapi.json', handler: () => json(200, presentText(text(), Date.now())) },
    ...pages,
  ];
  let known: readonly ApiPart[] = [];
  let made = '';
  return all;

  /** Made when a client asks: it is large, and most processes are never asked. */
  function text(): string {
    const current = [...parts(), documentApi];
    if (made === '' || current.some((part, at) => part !== known[at])) {
      known = current;
      made = JSON.stringify(documentOf({ version, parts: current, routes: all, guards }));
    }
    return made;
  }
}
