// The HTTP routes. The only file that imports elysia; bodies are read by read.ts, not by the framework, and every answer
// is made in answer.ts. One request line in the log for each request, whatever became of it.

import { Elysia } from 'elysia';
import type { Origin } from '../catalogue/judge.ts';
import { type ErrorCode, errorTable, PipelineError } from '../errors.ts';
import type { Accept } from '../ingest/accept.ts';
import { ackOf } from '../ingest/ack.ts';
import { documentOf, type OpenApi, presentText } from '../ingest/openapi.ts';
import { type ReadLimits, readEvents } from '../ingest/read.ts';
import type { Receipts } from '../ingest/receipts.ts';
import { type Clock, clockOf } from '../process/clock.ts';
import type { Health, Logs, Metrics } from '../process/telemetry.ts';
import { type Answer, json, problem } from './answer.ts';
import { apiDocs } from './apidocs.ts';
import { type Arrival, arrivalOf, lingering } from './arrival.ts';
import { clientAddress } from './client-address.ts';
import { type Connections, watchConnections } from './connections.ts';
import { matches, notFound } from './not-found.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  /** -1 = health and metrics are on `port` too. */
  readonly adminPort: number;
  /** Null where the role takes no events: health and metrics only. */
  readonly accept: Accept | null;
  /** When a request has come. */
  readonly clock?: Pick<Clock, 'stamp' | 'now'>;
  /** Null where nobody can say what became of an event. */
  readonly receipts?: Receipts | null;
  readonly limits: ReadLimits;
  /** At once; 0 = as many as the limit of open files leaves. */
  readonly connectionsMax?: number;
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

/** A connection on which no request has come whole is cut after this. */
const headerSeconds = 10;
/** Afterwards an idle one after this, and a silent handler; longer than any body may stall. */
const idleSeconds = 120;

export function startServer(options: ServerOptions): Server {
  const { accept, adminPort } = options;
  let isStopping = false;
  let connections: Connections | null = null;
  const standing: Standing = {
    isStopping: () => isStopping,
    refusal: () => (isStopping ? 'shutting_down' : connections?.isFull() === true ? 'too_many_connections' : null),
    connections: () => connections,
  };
  const eventRoutes = accept === null ? [] : routesOfEvents(options, accept, standing);
  const adminRoutes = routesOfAdmin(options, standing);
  const hasAdminPort = adminPort >= 0;
  const mainRoutes = withDocument(options, hasAdminPort ? eventRoutes : [...eventRoutes, ...adminRoutes]);
  const main = listen(options, mainRoutes, { ...standing, port: options.port, hint: accept ? here : nowhere });
  const there = accept ? `this is the port for health and metrics, ${here} on port ${main.port}` : nowhere;
  const admin = hasAdminPort
    ? listen(options, withDocument(options, adminRoutes), { ...standing, port: adminPort, hint: there })
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
    routes: [...mainRoutes, ...(hasAdminPort ? adminRoutes : [])].map(({ method, path }) => `${method} ${path}`),
    stop: async () => {
      isStopping = true;
      connections?.stop();
      await Promise.all(listening.map(({ stop }) => stop()));
    },
  };
}

const here = 'events go to POST /v1/events';
const nowhere = 'this process takes no events: it has no ingest role (UGC_ROLE)';

/** How the server is just now. */
interface Standing {
  isStopping(): boolean;
  /** Why no event is taken, whatever it is. */
  refusal(): ErrorCode | null;
  /** Null until it listens. */
  connections(): Connections | null;
}

function routesOfEvents(options: ServerOptions, accept: Accept, { refusal }: Standing): Route[] {
  const { limits, receipts, clock = clockOf() } = options;
  const handler: Handler = async ({ request, arrival, params }, ip) => {
    const code = refusal();
    if (code !== null) return problem(new PipelineError(code), { headers: closing });
    const ack = ackOf(request.url);
    const reading = await readEvents(request, limits, arrival);
    const origin: Origin = {
      receivedAtMs: clock.stamp(),
      clockMs: clock.now(),
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

function routesOfAdmin({ health, onScrape, metrics }: ServerOptions, { isStopping, connections }: Standing): Route[] {
  return [
    { method: 'GET', path: '/healthz/live', handler: () => json(200, '{"status":"live"}') },
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: () => {
        const { ready, detail } = health();
        const isReady = ready && !isStopping();
        const all = { ...detail, ...connections()?.problems() };
        return json(isReady ? 200 : 503, JSON.stringify({ status: isReady ? 'ready' : 'not ready', detail: all }));
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      handler: async () => {
        await Promise.all([onScrape(), gaugeConnections(connections(), metrics)]);
        const body = await metrics.registry.metrics();
        return { status: 200, headers: { 'content-type': metrics.registry.contentType }, body };
      },
    },
  ];
}

async function gaugeConnections(connections: Connections | null, metrics: Metrics): Promise<void> {
  const count = await connections?.count();
  if (typeof count === 'number') metrics.httpConnections.set(count);
  if (typeof connections?.max === 'number') metrics.httpConnectionsMax.set(connections.max);
}

/** The routes of a port, and the document that tells of these and no others. */
function withDocument({ api }: ServerOptions, routes: readonly Route[]): Route[] {
  const all: Route[] = [
    ...routes,
    { method: 'GET', path: '/openapi.json', handler: () => json(200, presentText(textOf(api()), Date.now())) },
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

interface Listening extends Standing {
  readonly port: number;
  /** Where events go, for who asks for what is not there. */
  readonly hint: string;
}

function listen(
  { host, graceMs, metrics, logs }: ServerOptions,
  routes: readonly Route[],
  { port, hint, connections }: Listening,
) {
  const app = new Elysia({
    // Else the path of a request is looked for behind a host of at least three characters.
    handler: { standardHostname: false },
    serve: {
      // A second process on the same port must fail, not silently take half the traffic.
      reusePort: false,
      idleTimeout: headerSeconds,
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
      if (code === 'NOT_FOUND') return notFound(request, routes, hint);
      logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
      return problem(new PipelineError('internal'));
    }),
  );
  app.listen({ hostname: host, port });
  const server = app.server;
  if (server === null) throw new Error('the server did not start');

  async function respond(route: string, request: Request, handle: Handle) {
    const startedAt = performance.now();
    server?.timeout(request, idleSeconds);
    const address = clientAddress(server?.requestIP(request)?.address ?? '');
    const arrival = arrivalOf(request);
    let answer: Answer;
    try {
      answer = await handle(arrival, address);
    } catch (error) {
      answer = answerTo(error);
    }
    const response = await sent(answer, arrival, connections()?.isCrowded() === true);
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
    closeIdle: () => server.closeIdleConnections(),
    stop: async () => {
      const cut = setTimeout(() => void server.stop(true), graceMs);
      await server.stop();
      clearTimeout(cut);
    },
  };
}

const closing = { connection: 'close' };

/** After a refusal the body may still be on its way; a small one is here in a moment, and then the connection stays. */
async function sent({ status, headers, body }: Answer, arrival: Arrival, isCrowded: boolean): Promise<Response> {
  if (!arrival.isOver() && arrival.isSmall && status !== errorTable.body_timeout.status) await arrival.discard();
  if (arrival.isOver())
    return new Response(body, { status, headers: isCrowded ? { ...headers, ...closing } : headers });
  return new Response(lingering(body, arrival), { status, headers: { ...headers, ...closing } });
}

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']);

const methodOf = (request: Request): string => (methods.has(request.method) ? request.method : 'OTHER');
