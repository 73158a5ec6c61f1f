// The HTTP front: one port, or a second one for the operator's tools. It is handed its routes; the only file
// that imports elysia. Bodies are read by body.ts, not by the framework, and every answer is made in answer.ts.
//
// - Who may is asked before a handler runs, and so before a body is read.
// - Who refuses a body that is still coming reads on for a while (arrival.ts); connections are held below what the
//   process may have open (connections.ts).
// - One request line in the log for each request, whatever became of it.

import { Elysia } from 'elysia';
import { type ErrorCode, errorTable, PipelineError } from '../errors.ts';
import type { Health, Logs, Metrics } from '../process/telemetry.ts';
import { type Answer, problem } from './answer.ts';
import { documented } from './apidocs.ts';
import { type Arrival, arrivalOf, lingering } from './arrival.ts';
import { clientAddress } from './client-address.ts';
import { type Connections, watchConnections } from './connections.ts';
import { healthApi, healthRoutes } from './health.ts';
import type { ApiPart } from './openapi.ts';
import {
  type Admission,
  type Admit,
  admitEverybody,
  anybody,
  type Call,
  methods,
  noRoute,
  type Route,
  withKey,
} from './route.ts';
import { welcome } from './welcome.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** -1 = health and metrics are on `port` too. */
  readonly adminPort: number;
  /** Of ugc. */
  readonly version: string;
  /** What the roles bring. */
  readonly routes: readonly Route[];
  /** What they say of it, as it is just now. */
  readonly api: () => readonly ApiPart[];
  readonly admit?: Admit;
  /** Where to go instead, for who asks for what is not there: a clause, by the port of the roles' routes. */
  readonly hint: (port: 'here' | number) => string;
  /** At once; 0 = as many as the limit of open files leaves. */
  readonly connectionsMax?: number;
  /** Requests in flight at a stop get this long. */
  readonly graceMs: number;
  readonly health: () => Health;
  /** Brings gauges up to date before they are read. */
  readonly scrape: () => Promise<void>;
  readonly metrics: Metrics;
  readonly logs: Logs;
}

export interface Server {
  readonly port: number;
  readonly adminPort: number;
  /** `POST /v1/events` and so on, of both ports. */
  readonly routes: readonly string[];
  /** Takes no more connections, answers what is in flight, then resolves. Idempotent. */
  stop(): Promise<void>;
}

/** A connection on which no request has come whole is cut after this. */
const headerSeconds = 10;
/** Afterwards an idle one after this, and a silent handler; longer than any body may stall. */
const idleSeconds = 120;

export function startServer(options: ServerOptions): Server {
  const { adminPort, version, api, hint } = options;
  let isStopping = false;
  let connections: Connections | null = null;
  const refusal = (): ErrorCode | null =>
    isStopping ? 'shutting_down' : connections?.isFull() === true ? 'too_many_connections' : null;
  const standing = { isStopping: () => isStopping, connections: () => connections };
  const health = healthRoutes({ ...options, ...standing });
  const hasAdminPort = adminPort >= 0;
  const isListed = ({ isOtherPath }: Route): boolean => isOtherPath === undefined;
  const listed = options.routes.filter(isListed);
  const own = [...options.routes.map(route => unlessRefused(route, refusal)), welcome({ ...options, routes: listed })];
  const isGuarded = options.admit !== undefined;
  const mainRoutes = documented({
    version,
    isGuarded,
    parts: () => [...api(), ...(hasAdminPort ? [] : [healthApi])],
    routes: hasAdminPort ? own : [...own, ...health],
  });
  const adminRoutes = documented({ version, isGuarded, parts: () => [healthApi], routes: health });
  const main = listen(options, { ...standing, port: options.port, routes: mainRoutes, hint: hint('here') });
  const admin = hasAdminPort
    ? listen(options, { ...standing, port: adminPort, routes: adminRoutes, hint: hint(main.port) })
    : main;
  const listening = [...new Set([main, admin])];
  connections = watchConnections({
    max: options.connectionsMax ?? 0,
    ports: listening.map(({ port }) => port),
    closeIdle: () => listening.reduce((sum, { closeIdle }) => sum + closeIdle(), 0),
    logger: options.logs.logger,
  });
  return {
    port: main.port,
    adminPort: admin.port,
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
  if ((route.method === 'GET' || route.method === 'HEAD') && route.stores === undefined) return route;
  const { handler } = route;
  return {
    ...route,
    handler: call => {
      const code = refusal();
      return code === null ? handler(call) : problem(new PipelineError(code), { headers: closing });
    },
  };
}

interface Listening {
  readonly port: number;
  readonly routes: readonly Route[];
  readonly hint: string;
  readonly connections: () => Connections | null;
}

function listen(options: ServerOptions, { port, routes, hint, connections }: Listening) {
  const { host, graceMs, metrics, logs, admit = admitEverybody } = options;
  const app = new Elysia({
    // Else the path of a request is looked for behind a host of at least three characters.
    handler: { standardHostname: false },
    serve: {
      // A second process on the same port must fail, not silently take half the traffic.
      reusePort: false,
      idleTimeout: headerSeconds,
      // body.ts refuses large bodies with a proper answer; the runtime would only cut the connection.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    },
  });
  for (const route of routes)
    app.route(
      route.method,
      route.path,
      ({ request, params }) =>
        respond(
          route.path,
          request,
          (address, arrival) =>
            answerOf(route, { request, params: params ?? noParams, arrival, address, caller: anybody }),
          route.render,
        ),
      { parse: 'none' },
    );
  app.onError(({ code, error, request }) =>
    respond('none', request, () => {
      if (code === 'NOT_FOUND') return noRoute(request, routes, hint);
      logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
      return problem(new PipelineError('internal'));
    }),
  );
  app.listen({ hostname: host, port });
  const server = app.server;
  if (server === null) throw new Error('the server did not start');

  function answerOf(route: Route, call: Call): Answer | Promise<Answer> {
    if (route.needs === undefined) return route.handler(call);
    const admission = admit(call, route.needs);
    return admission instanceof Promise
      ? admission.then(known => admitted(route, call, known))
      : admitted(route, call, admission);
  }

  function admitted(route: Route, call: Call, admission: Admission): Answer | Promise<Answer> {
    const { handler, needs = '', keyMayFollow } = route;
    if (admission.ok) return handler(admission.caller === call.caller ? call : { ...call, caller: admission.caller });
    if (keyMayFollow === undefined || admission.answer.status !== errorTable.unauthorized.status)
      return admission.answer;
    const admitWith: Call['admitWith'] = found =>
      found === null ? admission : admit({ ...call, request: withKey(call.request, found) }, needs);
    return handler({ ...call, admitWith });
  }

  async function respond(route: string, request: Request, handle: Handle, render?: Route['render']) {
    const startedAt = performance.now();
    server?.timeout(request, idleSeconds);
    const address = clientAddress(server?.requestIP(request)?.address ?? '');
    const arrival = arrivalOf(request);
    let answer: Answer;
    try {
      answer = await handle(address, arrival);
    } catch (error) {
      answer = answerTo(error);
    }
    if (render !== undefined) answer = render(answer);
    if (!arrival.isOver()) await leftover(arrival, answer);
    const { status } = answer;
    const durationMs = performance.now() - startedAt;
    metrics.httpRequest.observe({ route, status: String(status) }, durationMs / 1000);
    const bytes = arrival.announcedBytes ?? 0;
    logs.request({ method: methodOf(request), route, status, bytes, durationMs, address });
    return responseOf(answer, arrival, connections()?.isCrowded() === true);
  }

  function answerTo(error: unknown): Answer {
    if (error instanceof PipelineError) return problem(error);
    logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
    return problem(new PipelineError('internal'));
  }

  return {
    port: server.port ?? port,
    closeIdle: () => server.closeIdleConnections(),
    stop: async () => {
      const cut = setTimeout(() => void server.stop(true), graceMs);
      await server.stop();
      clearTimeout(cut);
    },
  };
}

type Handle = (address: string, arrival: Arrival) => Answer | Promise<Answer>;

const noParams = {};

/** After a refusal the body may still be on its way; a small one is here in a moment, and then the connection stays. */
async function leftover(arrival: Arrival, { status }: Answer): Promise<void> {
  if (arrival.isSmall && status !== errorTable.body_timeout.status) await arrival.discard();
}

const closing = { connection: 'close' };

function responseOf({ status, headers, body, bytes }: Answer, arrival: Arrival, isCrowded: boolean): Response {
  if (arrival.isOver())
    return new Response(bytes ?? body, { status, headers: isCrowded ? { ...headers, ...closing } : headers });
  return new Response(lingering(bytes ?? body, arrival), { status, headers: { ...headers, ...closing } });
}

const known: ReadonlySet<string> = new Set(methods);

const methodOf = (request: Request): string => (known.has(request.method) ? request.method : 'OTHER');
