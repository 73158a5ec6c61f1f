// One connection to Pulsar's WebSocket API (https://pulsar.apache.org/docs/client-libraries-websocket): JSON texts both ways.
// What it ends by is told once, and nothing is told afterwards.
// - it is pinged now and then: the server ends one on which nothing comes (webSocketSessionIdleTimeoutMillis, five minutes), and
//   one that has not been heard of for a request's time is ended here, as a network that is silent says nothing

import { messageOf, PipelineError } from '../../../errors.ts';
import { authorizationOf, isOfTls, type ReadyOptions, tlsOf, tlsWords } from './options.ts';

export interface Socket {
  send(text: string): void;
  /** Tells the server, and resolves once it has agreed, or after a while. Nothing is told any more. */
  close(): Promise<void>;
  /** At once, of a server that does not answer. Nothing is told any more. */
  drop(): void;
}

export interface SocketHandlers {
  /** It may be written to. */
  opened(): void;
  received(message: Readonly<Record<string, unknown>>): void;
  /** `log_halted` where it was refused so that trying again does not help; else `log_unavailable`. */
  ended(error: PipelineError): void;
}

const closeMsMax = 2_000;
const pingEveryMs = 3_000;

/** `path` behind /ws/v2/. */
export function openSocket(options: ReadyOptions, path: string, told: SocketHandlers): Socket {
  const address = `${options.url.replace(/^http/, 'ws')}/ws/v2/${path}`;
  // Bun's own: headers and an authority, which the standard has not.
  const how = { headers: authorizationOf(options), ...tlsOf(options) } as unknown as string[];
  const socket = new WebSocket(address, how);
  const gone = Promise.withResolvers<void>();
  let isOver = false;
  let refused: PipelineError | null = null;
  const timer = setTimeout(() => end(`no connection within ${options.connectTimeoutMs} ms`), options.connectTimeoutMs);

  let heardAtMs = performance.now();
  const pinging = setInterval(() => {
    const silentMs = performance.now() - heardAtMs;
    if (silentMs > options.requestTimeoutMs + pingEveryMs)
      end(`nothing was heard of it for ${Math.round(silentMs)} ms`);
    else if (socket.readyState === WebSocket.OPEN) socket.ping();
  }, pingEveryMs);
  const heard = (): void => {
    heardAtMs = performance.now();
  };

  function end(why: string): void {
    if (isOver) return;
    over();
    socket.terminate();
    told.ended(refused ?? new PipelineError('log_unavailable', `${options.url}: ${why}`));
  }

  function over(): void {
    isOver = true;
    clearTimeout(timer);
    clearInterval(pinging);
  }

  socket.addEventListener('pong' as 'message', heard); // Bun's own, too
  socket.onopen = () => {
    clearTimeout(timer);
    heard();
    if (!isOver) told.opened();
  };
  socket.onmessage = ({ data }) => {
    if (isOver) return;
    heard();
    let message: Record<string, unknown>;
    try {
      message = JSON.parse(String(data));
    } catch {
      end('it answered something that is no JSON');
      return;
    }
    told.received(message);
  };
  socket.onclose = ({ code, reason }) => {
    gone.resolve();
    end(`the connection ended (${code}${reason === '' ? '' : `, ${reason}`})`);
  };
  // Its end is told behind it.
  socket.onerror = event => {
    const { message = '' } = event as unknown as { readonly message?: string };
    refused = refusalOf(options, path, message.replace(/^.* failed: /, ''));
  };

  return {
    send(text) {
      if (isOver) return;
      try {
        socket.send(text);
      } catch (error) {
        end(messageOf(error)); // it ended just now, and its end has not been told yet
      }
    },
    async close() {
      if (isOver) return;
      over();
      socket.close(1000);
      const late = setTimeout(() => {
        socket.terminate();
        gone.resolve();
      }, closeMsMax);
      await gone.promise;
      clearTimeout(late);
    },
    drop() {
      if (isOver) return;
      over();
      socket.terminate();
    },
  };
}

/** What Bun says of a connection that never was: the status is in its words and nowhere else. Null: the network, or the server is not well. */
function refusalOf({ url }: ReadyOptions, path: string, words: string): PipelineError | null {
  const [, status] = /expected 101 status code: (\d+)/i.exec(words) ?? [];
  const [kind, , ...place] = path.replace(/\?.*$/, '').split('/');
  const right = kind === 'producer' ? 'produce' : 'consume';
  if (status === '401' || status === '403')
    return new PipelineError(
      'log_halted',
      `Pulsar at ${url} refused the token, or it lacks the right to ${right} (UGC_PULSAR_TOKEN): ${kind} of ${place.join('/')} answered ${status}; an operator who may runs: pulsar-admin namespaces grant-permission ${place.slice(0, 2).join('/')} --role <the token's> --actions produce,consume`,
    );
  if (status === '404')
    return new PipelineError(
      'log_halted',
      `Pulsar at ${url} has no WebSocket API (UGC_PULSAR_URL): set webSocketServiceEnabled=true there`,
    );
  return isOfTls(words) ? new PipelineError('log_halted', tlsWords(url, words)) : null;
}
