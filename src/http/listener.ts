// One listening port: each request goes to its route, and whatever becomes of it is answered. The only file that imports
// elysia. Bodies are read by body.ts, not by the framework, and every answer is made in answer.ts.
//
// - Who may is asked before a handler runs, and so before a body is read.
// - Who refuses a body that is still coming reads on for a while (arrival.ts); connections are held below what the
//   process may have open (connections.ts).
// - One request line in the log for each request, whatever became of it.

import { Elysia } from 'elysia';
import { errorTable, PipelineError } from '../errors.ts';
import type { RequestTrace, Tracer } from '../ports/tracing.ts';
import type { Logs, Metrics } from '../process/telemetry.ts';
import { type Answer, problem, type Streamed } from './answer.ts';
import { type Arrival, arrivalOf, lingering } from './arrival.ts';
import { clientAddress, clientBehind, type IsTrusted, type keptOf } from './client-address.ts';
import type { Connections } from './connections.ts';
import { type CrossOrigin, nobodyElse, optionsAnswer, originRefused, otherPageOf, toldToPage } from './cross-origin.ts';
import type { Listener } from './generations.ts';
import type { Held } from './held.ts';
import {
  type Admission,
  type Admit,
  admitEverybody,
  anybody,
  type Call,
  type Handler,
  isChanging,
  methods,
  noRoute,
  type Route,
  showsSomething,
  withKey,
  withOptions,
} from './route.ts';
import type { Secure } from './secure.ts';

/** A connection on which no request has come whole is cut after this. */
const headerSeconds = 10;
/** Afterwards an idle one after this, and a silent handler; longer than any body may stall. */
const idleSeconds = 120;
/** No connection is older than that when nothing is asked over it. */
export const connectionSecondsMax = headerSeconds + idleSeconds;
/** At a stop it is looked so often whether only those are left that take nothing. */
const lookMs = 50;

/** What every port has in common. */
export interface ListenerOptions {
  readonly host: string;
  readonly admit?: Admit;
  /** Pages of which other origins may send; absent = of none. */
  readonly crossOrigin?: CrossOrigin;
  /** Of whom X-Forwarded-For is believed; absent = of nobody. */
  readonly isTrusted?: IsTrusted | undefined;
  /** What the log keeps of a client's address; null = all of it. */
  readonly keptAddress?: ReturnType<typeof keptOf>;
  /** Requests in flight at a stop get this long. */
  readonly graceMs: number;
  readonly metrics: Metrics;
  readonly logs: Logs;
  /** Null = nothing is traced. */
  readonly tracer?: Tracer | null;
}

export interface Listening {
  readonly port: number;
  readonly routes: readonly Route[];
  readonly hint: string;
  readonly connections: () => Connections | null;
  readonly held: Held;
  readonly secure?: Secure;
}

/** Throws when the port is taken. */
export function listen(
  options: ListenerOptions,
  { port, routes, hint, connections, held, secure }: Listening,
): Listener {
  const { host, graceMs, metrics, logs, admit = admitEverybody, crossOrigin = nobodyElse } = options;
  const { isTrusted, keptAddress, tracer = null } = options;
  /** What every answer says beside its own. */
  const standing = secure?.headers ?? null;
  const lastStanding = { ...standing, ...closing };
  let isRetired = false;
  /** Answers that go on. */
  const streams = new Set<Streamed>();
  const app = new Elysia({
    // Else the path of a request is looked for behind a host of at least three characters.
    handler: { standardHostname: false },
    serve: {
      // A second process on the same port must fail, not silently take half the traffic.
      reusePort: secure !== undefined,
      ...(secure !== undefined && { tls: secure.tls }),
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
        respond(route, request, (address, arrival, trace) =>
          answerOf(route, { request, params: params ?? noParams, arrival, address, caller: anybody, trace }),
        ),
      { parse: 'none' },
    );
  for (const path of new Set(routes.map(route => route.path))) {
    const methods = routes.filter(route => route.path === path).map(({ method }) => method);
    if (methods.includes('OPTIONS')) continue;
    const handler = optionsAnswer(withOptions(methods));
    app.route('OPTIONS', path, ({ request }) => respond({ path }, request, () => handler(request)), { parse: 'none' });
  }
  app.onError(({ code, error, request }) =>
    respond({ path: 'none' }, request, () => {
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
    const isOpen = route.isPublic === true && !showsSomething(call.request);
    const admission = admit(call, isOpen ? null : route.needs);
    return admission instanceof Promise
      ? admission.then(known => handedOn(route, call, known))
      : handedOn(route, call, admission);
  }

  function handedOn(route: Route, call: Call, admission: Admission): Answer | Promise<Answer> {
    const { handler, needs = '', keyMayFollow } = route;
    if (admission.ok) return admitted(handler, call, admission);
    if (keyMayFollow === undefined || admission.answer.status !== errorTable.unauthorized.status)
      return admission.answer;
    const admitWith: Call['admitWith'] = found =>
      found === null ? admission : admit({ ...call, request: withKey(call.request, found) }, needs);
    return handler({ ...call, admitWith });
  }

  async function respond({ path: route, stores, render }: Asked, request: Request, handle: Handle) {
    const startedAt = performance.now();
    server?.timeout(request, idleSeconds);
    const peer = clientAddress(server?.requestIP(request)?.address ?? '');
    const address =
      isTrusted === undefined ? peer : clientBehind(peer, request.headers.get('x-forwarded-for'), isTrusted);
    const arrival = arrivalOf(request, held);
    const trace = tracer === null ? null : traceOf(tracer, route, request);
    const page = otherPageOf(request, crossOrigin);
    let answer: Answer;
    try {
      const isRefused = page !== null && page.told === null && isChanging(request.method, stores);
      answer = isRefused ? originRefused(page.origin) : await handle(address, arrival, trace);
    } catch (error) {
      answer = answerTo(error);
    }
    arrival.release();
    if (render !== undefined) answer = await render(answer, request);
    if (page !== null) answer = toldToPage(answer, request.method, page);
    if (!arrival.isOver()) await leftover(arrival, answer);
    const { status } = answer;
    const durationMs = performance.now() - startedAt;
    metrics.httpRequest.observe({ route, status: String(status) }, durationMs / 1000);
    trace?.answered(status);
    const bytes = arrival.announcedBytes ?? 0;
    const logged = keptAddress?.(address) ?? address;
    logs.request({ method: methodOf(request), route, status, bytes, durationMs, address: logged });
    if (answer.stream !== undefined) follow(answer.stream);
    const isLast = isRetired || connections()?.isCrowded() === true;
    return responseOf(answer, arrival, isLast ? lastStanding : standing);
  }

  function follow(stream: Streamed): void {
    streams.add(stream);
    void stream.over.then(() => streams.delete(stream));
  }

  function answerTo(error: unknown): Answer {
    if (error instanceof PipelineError) return problem(error);
    logs.logger.error({ err: error }, 'a request failed for a reason nobody foresaw');
    return problem(new PipelineError('internal'));
  }

  return {
    port: server.port ?? port,
    closeIdle: () => server.closeIdleConnections(),
    retire: () => {
      isRetired = true;
    },
    end: () => server.stop(),
    stop: async () => {
      const cut = setTimeout(() => void server.stop(true), graceMs);
      const looking = setInterval(() => {
        const stuck = [...streams].filter(({ isStuck }) => isStuck()).length;
        if (stuck > 0 && server.pendingRequests <= stuck) void server.stop(true);
      }, lookMs);
      await server.stop();
      clearTimeout(cut);
      clearInterval(looking);
    },
  };
}

type Handle = (address: string, arrival: Arrival, trace: RequestTrace | null) => Answer | Promise<Answer>;

/** A route, or what there is instead of one. */
type Asked = Pick<Route, 'path' | 'stores' | 'render'>;

/** Of what changes something in the API; null for all else, and for what is not sampled. */
function traceOf(tracer: Tracer, route: string, { method, headers }: Request): RequestTrace | null {
  if (method !== 'POST' || !route.startsWith('/v1/')) return null;
  return tracer.request({ method, route, traceparent: headers.get('traceparent') });
}

const noParams = {};

type Admitted = Extract<Admission, { ok: true }>;

function admitted(handler: Handler, call: Call, admission: Admitted): Answer | Promise<Answer> {
  const answer = handler(admission.caller === call.caller ? call : { ...call, caller: admission.caller });
  if (admission.headers === undefined) return answer;
  return answer instanceof Promise ? answer.then(later => toldOf(later, admission)) : toldOf(answer, admission);
}

function toldOf(answer: Answer, { headers }: Admitted): Answer {
  const more = headers?.() ?? null;
  return more === null ? answer : { ...answer, headers: { ...answer.headers, ...more } };
}

/** After a refusal the body may still be on its way; a small one is here in a moment, and then the connection stays. */
async function leftover(arrival: Arrival, { status }: Answer): Promise<void> {
  if (arrival.isSmall && status !== errorTable.body_timeout.status) await arrival.discard();
}

export const closing = { connection: 'close' };

type Standing = Readonly<Record<string, string>> | null;

function responseOf(answer: Answer, arrival: Arrival, standing: Standing): Response {
  const { status, headers, body, bytes, stream } = answer;
  if (stream !== undefined) return new Response(stream.bytes, { status, headers: { ...headers, ...standing } });
  if (arrival.isOver())
    return new Response(bytes ?? body, { status, headers: standing === null ? headers : { ...headers, ...standing } });
  return new Response(lingering(bytes ?? body, arrival), { status, headers: { ...headers, ...standing, ...closing } });
}

const known: ReadonlySet<string> = new Set(methods);

const methodOf = (request: Request): string => (known.has(request.method) ? request.method : 'OTHER');
