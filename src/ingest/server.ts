// The HTTP routes. The only file that imports elysia; bodies are read by read.ts, not by the framework, and every answer
// is made in answer.ts. One request line in the log for each request, whatever became of it.

import { Elysia } from 'elysia';
import { errorTable, PipelineError } from '../errors.ts';
import type { Health, Logs, Metrics } from '../telemetry.ts';
import type { Accept } from './accept.ts';
import { ackOf } from './ack.ts';
import { type Answer, json, problem } from './answer.ts';
import { apiDocs } from './apidocs.ts';
import { type Arrival, arrivalOf, lingering } from './arrival.ts';
import type { Origin } from './judge.ts';
import { documentOf, type OpenApi } from './openapi.ts';
import { type ReadLimits, readEvents } from './read.ts';
import type { Receipts } from './receipts.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** -1 = health and metrics are on `port` too. */
  readonly adminPort: number;
  /** Null where the role takes no events: health and metrics only. */
  readonly accept: Accept | null;
  /** Null where nobody can say what became of an event. */
  readonly receipts?: Receipts | null;
  readonly limits: ReadLimits;
  /** What the routes take and answer, as it is just now. */
  readonly api: () => OpenApi;
  /** Requests in flight at a stop get this long. */
  readonly graceMs: number;
  readonly health: () => Health;
  /** Brings gauges up to date before they are read. */
  readonly onScrape: () => Promise<void>;
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

interface Asked {
  readonly request: Request;
  readonly arrival: Arrival;
  readonly params: Readonly<Record<string, string | undefined>>;
}

type Handle = (arrival: Arrival, address: string) => Answer | Promise<Answer>;
type Handler = (asked: Asked, address: string) => Answer | Promise<Answer>;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly handler: Handler;
}

/** Idle keep-alive connections and silent handlers are cut after this; longer than any body may stall. */
const idleSeconds = 120;

export function startServer(options: ServerOptions): Server {
  const { accept, adminPort } = options;
  let isStopping = false;
  const eventRoutes = accept === null ? [] : routesOfEvents(options, accept, () => isStopping);
  const adminRoutes = routesOfAdmin(options, () => isStopping);
  const hasAdminPort = adminPort >= 0;
  const mainRoutes = withDocument(options, hasAdminPort ? eventRoutes : [...eventRoutes, ...adminRoutes]);
  const main = listen(options, mainRoutes, options.port);
  const admin = hasAdminPort ? listen(options, withDocument(options, adminRoutes), adminPort) : main;
  return {
    port: main.port,
    adminPort: admin.port,
    routes: [...mainRoutes, ...(hasAdminPort ? adminRoutes : [])].map(({ method, path }) => `${method} ${path}`),
    stop: async () => {
      isStopping = true;
      await Promise.all([main.stop(), admin === main ? undefined : admin.stop()]);
    },
  };
}

function routesOfEvents({ limits, receipts }: ServerOptions, accept: Accept, isStopping: () => boolean): Route[] {
  const handler: Handler = async ({ request, arrival, params }, ip) => {
    if (isStopping()) return problem(new PipelineError('shutting_down'), { headers: closing });
    const ack = ackOf(request.url);
    const reading = await readEvents(request, limits, arrival);
    const origin: Origin = {
      receivedAtMs: Date.now(),
      source: '',
      ip,
      userAgent: (request.headers.get('user-agent') ?? '').slice(0, 1024),
      pathType: params.event_type ?? null,
      sentAt: reading.sentAt,
      isPlain: reading.isPlain === true,
    };
    return accept(reading, origin, ack);
  };
  return [
    { method: 'POST', path: '/v1/events', handler },
    { method: 'POST', path: '/v1/events/:event_type', handler },
    ...(receipts
      ? [{ method: 'GET', path: '/v1/receipts/:event_id', handler: receiptHandlerOf(receipts) } as const]
      : []),
  ];
}

const receiptHandlerOf =
  (receipts: Receipts): Handler =>
  ({ params }) =>
    receipts(params.event_id ?? '');

function routesOfAdmin({ health, onScrape, metrics }: ServerOptions, isStopping: () => boolean): Route[] {
  return [
    { method: 'GET', path: '/healthz/live', handler: () => json(200, '{"status":"live"}') },
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: () => {
        const { ready, detail } = health();
        const isReady = ready && !isStopping();
        return json(isReady ? 200 : 503, JSON.stringify({ status: isReady ? 'ready' : 'not ready', detail }));
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handler: async () => {
        await onScrape();
        const body = await metrics.registry.metrics();
        return { status: 200, headers: { 'content-type': metrics.registry.contentType }, body };
      },
    },
  ];
}

/** The routes of a port, and the document that tells of these and no others. */
function withDocument({ api }: ServerOptions, routes: readonly Route[]): Route[] {
  const all: Route[] = [
    ...routes,
    { method: 'GET', path: '/openapi.json', handler: () => json(200, textOf(api())) },
    ...Object.entries(apiDocs).map(([path, handler]): Route => ({ method: 'GET', path, handler })),
  ];
  let known: OpenApi | null = null;
  let text = '';
  return all;

  function textOf(current: OpenApi): string {
    if (known === current) return text;
    known = current;
    const serves = (method: string, path: string) =>
      all.some(route => route.method === method && matches(route.path, path));
    text = JSON.stringify(documentOf(current, serves));
    return text;
  }
}

function listen({ host, graceMs, metrics, logs }: ServerOptions, routes: readonly Route[], port: number) {
  const app = new Elysia({
    // Else the path of a request is looked for behind a host of at least three characters.
    handler: { standardHostname: false },
    serve: {
      // A second process on the same port must fail, not silently take half the traffic.
      reusePort: false,
      idleTimeout: idleSeconds,
      // read.ts refuses large bodies with a proper answer; the runtime would only cut the connection.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    },
  });
  for (const { method, path, handler } of routes)
    app.route(
      method,
      path,
      ({ request, params }) =>
        respond(path, request, (arrival, address) => handler({ request, arrival, params: params ?? {} }, address)),
      { parse: 'none' },
    );
  app.onError(({ code, error, request }) =>
    respond('none', request, () => {
      if (code === 'NOT_FOUND') return notFound(request, routes);
      logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
      return problem(new PipelineError('internal'));
    }),
  );
  app.listen({ hostname: host, port });
  const server = app.server;
  if (server === null) throw new Error('the server did not start');

  async function respond(route: string, request: Request, handle: Handle) {
    const startedAt = performance.now();
    const address = server?.requestIP(request)?.address ?? '';
    const arrival = arrivalOf(request);
    let answer: Answer;
    try {
      answer = await handle(arrival, address);
    } catch (error) {
      answer = answerTo(error);
    }
    const response = await sent(answer, arrival);
    const durationMs = performance.now() - startedAt;
    const { status } = answer;
    metrics.httpRequest.observe({ route, status: String(status) }, durationMs / 1000);
    const bytes = Number(request.headers.get('content-length') ?? 0);
    logs.request({ method: methodOf(request), route, status, bytes, durationMs, address });
    return response;
  }

  function answerTo(error: unknown): Answer {
    if (error instanceof PipelineError) return problem(error);
    logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
    return problem(new PipelineError('internal'));
  }

  return {
    port: server.port ?? port,
    stop: async () => {
      const cut = setTimeout(() => void server.stop(true), graceMs);
      await server.stop();
      clearTimeout(cut);
    },
  };
}

const closing = { connection: 'close' };

/** After a refusal the body may still be on its way; a small one is here in a moment, and then the connection stays. */
async function sent({ status, headers, body }: Answer, arrival: Arrival): Promise<Response> {
  if (!arrival.isOver() && arrival.isSmall && status !== errorTable.body_timeout.status) await arrival.discard();
  if (arrival.isOver()) return new Response(body, { status, headers });
  return new Response(lingering(body, arrival), { status, headers: { ...headers, ...closing } });
}

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

const methodOf = (request: Request): string => (methods.has(request.method) ? request.method : 'OTHER');

/** 404, or 405 with the methods the path has. */
function notFound(request: Request, routes: readonly Route[]): Answer {
  const path = pathOf(request.url);
  const allowed = routes.filter(route => matches(route.path, path)).map(route => route.method);
  if (allowed.length === 0)
    return problem(new PipelineError('not_found', `no route ${path.slice(0, 100)}; events go to POST /v1/events`));
  return problem(new PipelineError('method_not_allowed', `${path.slice(0, 100)} takes ${allowed.join(', ')}`), {
    headers: { allow: allowed.join(', ') },
  });
}

const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replace(/:[a-z_]+/g, '[^/]+')}/?$`).test(path);

/** By hand: with a strange Host header, or none, the URL of a request is not one that can be parsed. */
const pathOf = (url: string): string => /^(?:[a-z]+:\/\/[^/]*)?(\/[^?#]*)/.exec(url)?.[1] ?? '/';
