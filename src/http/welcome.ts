// What is at `/`: a few lines that say what this is and where to go on, for people with a browser or with curl. Where there
// is a console, it is what a browser gets.

import type { Answer } from './answer.ts';
import type { Route } from './route.ts';

export interface WelcomeOptions {
  readonly version: string;
  /** What the roles bring. */
  readonly routes: readonly Route[];
  readonly adminPort: number;
  /** For a browser, instead. */
  readonly page?: Answer | undefined;
}

export function welcome({ version, routes, adminPort, page: instead }: WelcomeOptions): Route {
  const own = routes.map(({ method, path }) => [method, path.replace(/:([a-z_]+)/g, '{$1}')] as const);
  const common =
    adminPort < 0
      ? ([
          ['GET', '/healthz/ready'],
          ['GET', '/metrics'],
        ] as const)
      : [];
  const all = [...own, ['GET', '/apidocs'] as const, ['GET', '/openapi.json'] as const, ...common];
  const text = textOf(version, all);
  const page = pageOf(version, all);
  return {
    method: 'GET',
    path: '/',
    handler: ({ request }): Answer =>
      request.headers.get('accept')?.includes('text/html') === true
        ? (instead ?? { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', ...closed }, body: page })
        : { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: text },
  };
}

type Line = readonly [method: string, path: string];

const about =
  'takes what people do on a site or in an app and gets each accepted event into ClickHouse as exactly one row';

const textOf = (version: string, lines: readonly Line[]): string =>
  `ugc ${version} ${about}.\n\n${lines.map(([method, path]) => `  ${method.padEnd(7)}${path}\n`).join('')}`;

/** It loads nothing and runs nothing. */
const closed = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const pageOf = (version: string, lines: readonly Line[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ugc</title>
<link rel="icon" href="data:,">
<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 10vh auto; padding: 0 1rem }
td { padding: .15rem 1rem .15rem 0; font-family: ui-monospace, monospace }
</style>
</head>
<body>
<h1>ugc <small>${version}</small></h1>
<p>It ${about}.</p>
<p><a href="/apidocs">Read and try the API</a></p>
<table><tbody>
${lines.map(([method, path]) => `<tr><td>${method}</td><td>${linkOf(method, path)}</td></tr>`).join('\n')}
</tbody></table>
</body>
</html>
`;

const linkOf = (method: string, path: string): string =>
  method === 'GET' && !path.includes('{') ? `<a href="${path}">${path}</a>` : path;
