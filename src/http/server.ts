// The HTTP front: one port, or more: a second one for the operator's tools, a plain one beside HTTPS. It is handed its routes.

import { type ErrorCode, PipelineError } from '../errors.ts';
import type { Health } from '../process/telemetry.ts';
import { type Answer, problem } from './answer.ts';
import { documented } from './apidocs.ts';
import { type Connections, watchConnections } from './connections.ts';
import type { Generations } from './generations.ts';
import { healthApi, healthRoutes } from './health.ts';
import { heldOf } from './held.ts';
import { closing, connectionSecondsMax, type ListenerOptions, type Listening, listen } from './listener.ts';
import type { ApiPart, Guard } from './openapi.ts';
import { paceOf } from './pace.ts';
import { redirectRoutes } from './redirect.ts';
import { isChanging, type Route } from './route.ts';
import { type FrontTls, overTls } from './secure.ts';
import { welcome } from './welcome.ts';

export interface ServerOptions extends ListenerOptions {
  readonly port: number;
  /** -1 = health and metrics are on `port` too. */
  readonly adminPort: number;
  /** Of ugc. */
  readonly version: string;
  /** What the roles bring. */
  readonly routes: readonly Route[];
  /** What they say of it, as it is just now. */
  readonly api: () => readonly ApiPart[];
  /** For who looks after the process, beside health and metrics. */
  readonly tools?: { readonly routes: readonly Route[]; readonly api: ApiPart };
  /** A page for who looks after the process, at `/` of their port. It is in no list of routes. */
  readonly console?: Console | null;
  /** What who may is asked by, for the document; absent = nobody is asked. */
  readonly guards?: readonly Guard[];
  /** Where to go instead, for who asks for what is not there: a clause, by the port of the roles' routes. */
  readonly hint: (port: 'here' | number) => string;
  /** At once; 0 = as many as the limit of open files leaves. */
  readonly connectionsMax?: number;
  /** Of bodies, of all requests together; absent = without a bound. */
  readonly requestsBytesMax?: number;
  /** Absent = plain HTTP. */
  readonly tls?: FrontTls;
  readonly health: () => Health;
  /** Brings gauges up to date before they are read. */
  readonly scrape: () => Promise<void>;
}

export interface Console {
  /** For a browser; what it loads and asks is in `routes`. Null = there are those alone. */
  readonly page: Answer | null;
  readonly routes: readonly Route[];
}

export interface Server {
  readonly port: number;
  readonly adminPort: number;
  /** -1 = there is none. */
  readonly redirectPort: number;
  /** `POST /v1/events` and so on, of both ports. */
  readonly routes: readonly string[];
  /** Takes no more connections, answers what is in flight, then resolves. Idempotent. */
  stop(): Promise<void>;
}

export function startServer(options: ServerOptions): Server {
  const { adminPort, version, api, hint, tls, guards = [], tools, console: shown = null } = options;
  let isStopping = false;
  let connections: Connections | null = null;
  const refusal = (): ErrorCode | null =>
    isStopping ? 'shutting_down' : connections?.isFull() === true ? 'too_many_connections' : null;
  const held = heldOf(options.requestsBytesMax ?? Number.POSITIVE_INFINITY, paceOf());
  const standing = { held, isStopping: () => isStopping, connections: () => connections };
  const health = [...healthRoutes({ ...options, ...standing }), ...(tools?.routes ?? [])];
  const healthApis = [healthApi, ...(tools === undefined ? [] : [tools.api])];
  const hasAdminPort = adminPort >= 0;
  const isListed = ({ isOtherPath }: Route): boolean => isOtherPath === undefined;
  const listed = options.routes.filter(isListed);
  const page = shown?.page ?? undefined;
  const own = [
    ...options.routes.map(route => unlessRefused(route, refusal)),
    welcome({ ...options, routes: listed, page: hasAdminPort ? undefined : page }),
  ];
  const forConsole = (shown?.routes ?? []).map(
    (route): Route => ({ ...unlessRefused(route, refusal), isOtherPath: true }),
  );
  const mainRoutes = documented({
    version,
    guards,
    parts: () => [...api(), ...(hasAdminPort ? [] : healthApis)],
    routes: hasAdminPort ? own : [...own, ...health, ...forConsole],
  });
  const behind = page === undefined ? health : [...health, welcome({ version, routes: health, adminPort, page })];
  const adminRoutes = documented({ version, guards, parts: () => healthApis, routes: [...behind, ...forConsole] });
  const front = { ...standing, port: options.port, routes: mainRoutes, hint: hint('here') };
  const main = listenOn(options, front, tls);
  const back = { ...standing, port: adminPort, routes: adminRoutes, hint: hint(main.port) };
  const admin = hasAdminPort ? listenOn(options, back, tls?.isAdminToo === true ? tls : undefined) : main;
  const plain = { ...standing, port: tls?.redirectPort ?? -1, hint: '' };
  const to = { to: tls?.redirectTo ?? '', port: () => main.port };
  const redirect = plain.port < 0 ? null : listenOn(options, { ...plain, routes: redirectRoutes(to) });
  const listening = [...new Set([main, admin, ...(redirect === null ? [] : [redirect])])];
  connections = watchConnections({
    max: options.connectionsMax ?? 0,
    ports: listening.map(({ port }) => port),
    closeIdle: () => listening.reduce((sum, { closeIdle }) => sum + closeIdle(), 0),
    logger: options.logs.logger,
  });
  return {
    port: main.port,
    adminPort: admin.port,
    redirectPort: redirect?.port ?? -1,
    routes: [...mainRoutes, ...(hasAdminPort ? health : [])]
      .filter(isListed)
      .map(({ method, path }) => `${method} ${path}`),
    stop: async () => {
      isStopping = true;
      connections?.stop();
      await Promise.all(listening.map(({ stop }) => stop()));
    },
  };
}

/** What changes something is not begun while nothing is taken; reading goes on while there are connections. */
function unlessRefused(route: Route, refusal: () => ErrorCode | null): Route {
  if (!isChanging(route.method, route.stores)) return route;
  const { handler } = route;
  return {
    ...route,
    handler: call => {
      const code = refusal();
      return code === null ? handler(call) : problem(new PipelineError(code), { headers: closing });
    },
  };
}

/** With TLS a listener for each certificate, on one port. */
function listenOn(options: ServerOptions, listening: Listening, tls?: FrontTls): Omit<Generations, 'renew'> {
  if (tls === undefined) return listen(options, listening);
  return overTls(tls, {
    hostname: options.host,
    port: listening.port,
    drainMs: connectionSecondsMax * 1_000,
    open: (port, secure) => listen(options, { ...listening, port, secure }),
  });
}
