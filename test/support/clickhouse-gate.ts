// A gate on the way to ClickHouse that knows what an insert is. It can hold one at a point of its way, so that a test kills
// somebody just then; let requests run under settings somebody imposed on their user; and ask for a password, which the
// embedded engine behind it does not. What it imposes the engine itself answers to; only the refusal of a password is
// made up here, as ClickHouse words it. In front of the gate a TCP proxy makes the network bad.

import { createConnection } from 'node:net';
import type { WrongAnswer } from './clickhouse-strangers.ts';
import { type TcpProxy, tcpProxy } from './tcp-proxy.ts';

/**
 * Of an insert's way, seen from ClickHouse: before its first byte; when half of its body is there; when all of it is, and
 * is being worked on; when it is done, before the answer leaves.
 */
export type Point = 'before' | 'half' | 'inside' | 'after';
export const points: readonly Point[] = ['before', 'half', 'inside', 'after'];

export interface Caught {
  /** It goes on as if nothing had been; from `half` it cannot. */
  pass(): void;
  /** Neither its bytes nor its answer get any further. What ClickHouse has got whole it may still do. */
  drop(): void;
}

export interface ClickhouseGate {
  readonly port: number;
  /** Holds the next insert at that point; null when none came within `msMax`. */
  catch(point: Point, msMax: number): Promise<Caught | null>;
  /** Settings of every request from now on, or with `inserts` of those alone; {} = none. */
  impose(settings: Readonly<Record<string, string>>, of?: 'all' | 'inserts'): void;
  /** From now on something else answers in its place; null = ClickHouse does. */
  replace(wrong: WrongAnswer | null): void;
  /** How many inserts something else has answered. */
  readonly replaced: number;
  /** The password of now. */
  askFor(password: string): void;
  /** How often ClickHouse has answered with each of its codes. */
  readonly said: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export interface GateOptions {
  /** Port on 127.0.0.1. */
  readonly target: number;
  /** ClickHouse has hung up, or is not there. */
  readonly onBroken: () => void;
}

interface Waiter {
  readonly point: Point;
  readonly resolve: (caught: Caught) => void;
}

export function clickhouseGate({ target, onBroken }: GateOptions): ClickhouseGate {
  const waiters: Waiter[] = [];
  const said = new Map<string, number>();
  let imposed: { readonly settings: Readonly<Record<string, string>>; readonly of: 'all' | 'inserts' } | null = null;
  let password = '';
  let wrong: WrongAnswer | null = null;
  let replaced = 0;

  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: 2 ** 28,
    fetch: request => answer(request).catch(() => broken(request)),
  });
  return {
    port: server.port!,
    catch: (point, msMax) =>
      new Promise(resolve => {
        const waiter = { point, resolve: (caught: Caught) => end(caught) };
        const end = (caught: Caught | null) => {
          clearTimeout(timer);
          if (waiters.includes(waiter)) waiters.splice(waiters.indexOf(waiter), 1);
          resolve(caught);
        };
        const timer = setTimeout(() => end(null), msMax);
        waiters.push(waiter);
      }),
    impose: (settings, of = 'all') => {
      imposed = { settings, of };
    },
    replace: other => {
      wrong = other;
    },
    get replaced() {
      return replaced;
    },
    askFor: wanted => {
      password = wanted;
    },
    said,
    close: () => server.stop(true),
  };

  /** A client that is gone has nothing left to be cut; the next one may be there already. */
  function broken({ signal }: Request): Response {
    if (!signal.aborted) onBroken();
    return new Response('the connection is about to be cut\n', { status: 502 });
  }

  async function answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const body = Buffer.from(await request.arrayBuffer());
    if (passwordOf(request) !== password) return wrongPassword(said);
    const isInsert = /^INSERT INTO/.test(url.searchParams.get('query') ?? body.toString('latin1', 0, 11));
    if (imposed !== null && (isInsert || imposed.of === 'all'))
      for (const [name, value] of Object.entries(imposed.settings)) url.searchParams.set(name, value);
    url.port = String(target);
    const headers = new Headers(request.headers);
    for (const name of ['host', 'connection', 'content-length', 'transfer-encoding']) headers.delete(name);
    const { method, signal } = request;
    const send = async (): Promise<Response> => {
      const bytes = method === 'GET' ? {} : { body };
      const said = await fetch(url, { method, headers, signal, ...bytes });
      return new Response(await said.arrayBuffer(), said);
    };

    if (wrong !== null) {
      if (isInsert) replaced++;
      return wrong.answer({ pass: send, url });
    }
    const waiter = isInsert ? waiters.shift() : undefined;
    return waiter === undefined ? noted(await send()) : caught(waiter, { request, url, headers, body, send });
  }

  async function caught(waiter: Waiter, { request, url, headers, body, send }: Passing): Promise<Response> {
    const { point } = waiter;
    const { signal } = request;
    if (point === 'half') {
      const cut = await sendHalf(target, { url, headers, body });
      await held(waiter, signal);
      cut();
      return broken(request);
    }
    const sending = point === 'before' ? null : send();
    sending?.catch(() => {}); // the await below hears of it
    if (point === 'after') await sending;
    if (!(await held(waiter, signal))) return broken(request);
    return noted(await (sending ?? send()));
  }

  function noted(answered: Response): Response {
    const code = answered.headers.get('x-clickhouse-exception-code');
    if (code !== null) said.set(code, (said.get(code) ?? 0) + 1);
    return answered;
  }
}

/** A request on its way to ClickHouse. */
interface Passing {
  readonly request: Request;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly send: () => Promise<Response>;
}

/** True when it may go on; it may not once its client is gone. */
function held({ resolve }: Waiter, signal: AbortSignal): Promise<boolean> {
  return new Promise(done => {
    if (signal.aborted) return done(false);
    signal.addEventListener('abort', () => done(false), { once: true });
    resolve({ pass: () => done(true), drop: () => done(false) });
  });
}

interface Sent {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Resolves once half of the body is with ClickHouse; what it gives cuts the connection. */
async function sendHalf(target: number, { url, headers, body }: Sent): Promise<() => void> {
  const socket = createConnection({ host: '127.0.0.1', port: target, noDelay: true });
  socket.on('error', () => {});
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: ${body.length}\r\n${lines}\r\n`;
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), body.subarray(0, body.length >> 1)]);
  await new Promise<void>((resolve, reject) =>
    socket.once('error', reject).write(bytes, error => (error ? reject(error) : resolve())),
  );
  return () => void socket.destroy();
}

function passwordOf({ headers }: Request): string {
  const basic = /^Basic (\S+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? '';
  return Buffer.from(basic, 'base64').toString().split(':').slice(1).join(':');
}

function wrongPassword(said: Map<string, number>): Response {
  said.set('516', (said.get('516') ?? 0) + 1);
  const words =
    'Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or there is no user with that name. (AUTHENTICATION_FAILED)';
  return new Response(`${words}\n`, { status: 403, headers: { 'X-ClickHouse-Exception-Code': '516' } });
}

/** ClickHouse as one of its clients meets it: a network of its own, then the gate. */
export interface ClickhouseFront {
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly gate: ClickhouseGate;
  close(): Promise<void>;
}

export interface FrontOptions {
  readonly target: number;
  readonly password: string;
  /** From 0 up to 1, for the network's jitter. */
  readonly random: () => number;
}

export async function clickhouseFront({ target, password, random }: FrontOptions): Promise<ClickhouseFront> {
  const gate = clickhouseGate({ target, onBroken: () => proxy.cut() });
  gate.askFor(password);
  const proxy = await tcpProxy({ target: gate.port, random });
  const close = async () => {
    await proxy.close();
    await gate.close();
  };
  return { url: `http://127.0.0.1:${proxy.port}`, proxy, gate, close };
}
