// One HTTP/1.1 connection, kept alive, one request at a time: a plain socket and bytes that are written once. A full HTTP client
// takes as much CPU as the server it loads. A connection that ends is opened again, later each time; what it carried has an
// unknown outcome, and is told so.

import { sleep } from '../process/sleep.ts';

export interface Answered {
  /** 0 = the connection ended before the answer was whole. */
  readonly status: number;
  readonly body: Buffer;
  /** What `Retry-After` says. */
  readonly retryAfter: boolean;
}

export interface Connection {
  /** Only while it is ready. `head` without its last lines: content-length is added. Bytes of the body. */
  send(head: string, body: string | Uint8Array): number;
  close(): void;
}

export interface Target {
  readonly hostname: string;
  readonly port: number;
  readonly tls: false | { readonly serverName: string; readonly ca?: string };
}

export interface ConnectionEvents {
  /** It may send: for the first time, after an answer, and after it was opened again. */
  readonly ready: () => void;
  readonly answered: (answer: Answered) => void;
  /** It ended while nothing was under way, and is opened again. */
  readonly lost: () => void;
  /** It could not be opened, and is tried again. */
  readonly refused: (why: string) => void;
}

const noBody = Buffer.alloc(0);
const waitMs = { first: 50, most: 1_000 };
/** Before the body in its buffer: the head ends where the body begins. */
const headMax = 2_048;

export function connection(target: Target, events: ConnectionEvents, signal: AbortSignal): Connection {
  let socket: Bun.Socket | null = null;
  let out = Buffer.allocUnsafe(headMax + 4_096);
  let unsent: Buffer | null = null;
  let received: Buffer | null = null;
  let isBusy = false;
  let isClosed = false;

  function settle(answer: Answered): void {
    received = null;
    if (!isBusy) return; // to a request it was not
    isBusy = false;
    events.answered(answer);
  }

  function write(bytes: Buffer): void {
    const written = Math.max(0, socket?.write(bytes) ?? 0);
    unsent = written < bytes.length ? bytes.subarray(written) : null;
  }

  function ended(was: Bun.Socket): void {
    if (socket !== was) return;
    [socket, unsent] = [null, null];
    if (isBusy) settle({ status: 0, body: noBody, retryAfter: false });
    else events.lost();
    if (!isClosed) void open();
  }

  async function open(): Promise<void> {
    for (let wait = waitMs.first; !isClosed && !signal.aborted; wait = Math.min(waitMs.most, wait * 2)) {
      try {
        const { promise: trusted, resolve: trust, reject: distrust } = Promise.withResolvers<void>();
        trusted.catch(() => {}); // told below, or the connection ended before
        const opened = await Bun.connect({
          hostname: target.hostname,
          port: target.port,
          tls: target.tls,
          socket: {
            data(_, bytes) {
              const all = received === null ? bytes : Buffer.concat([received, bytes]);
              const answer = answerIn(all);
              if (answer === null) {
                received = received === null ? Buffer.from(all) : all; // the runtime's own is used again
                return;
              }
              settle(answer);
              if (answer.isLast) socket?.end();
              else if (!isBusy) events.ready();
            },
            drain() {
              if (unsent !== null) write(unsent);
            },
            handshake(_, isTrusted, why) {
              if (isTrusted) trust();
              else distrust(why ?? new Error('its certificate is not trusted'));
            },
            close(was) {
              distrust(new Error('the connection ended while TLS began'));
              ended(was);
            },
            error: ended,
          },
        });
        // Before that the key must not be shown.
        if (target.tls !== false)
          await trusted.catch(error => {
            opened.end();
            throw error;
          });
        socket = opened;
        if (isClosed) socket.end();
        else events.ready();
        return;
      } catch (error) {
        events.refused((error as Error).message);
        await sleep(wait, signal);
      }
    }
  }

  void open();
  return {
    send(head, body) {
      isBusy = true;
      const most = typeof body === 'string' ? body.length * 3 : body.length;
      if (headMax + most > out.length) out = Buffer.allocUnsafe(headMax + most * 2);
      let length: number;
      if (typeof body === 'string') length = out.write(body, headMax, 'utf8');
      else {
        out.set(body, headMax);
        ({ length } = body);
      }
      const whole = `${head}content-length: ${length}\r\n\r\n`;
      out.write(whole, headMax - whole.length, 'latin1');
      write(out.subarray(headMax - whole.length, headMax + length));
      return length;
    },
    close() {
      isClosed = true;
      socket?.end();
    },
  };
}

/** Null while it is not whole. `isLast`: the server closes the connection behind it. */
export function answerIn(bytes: Buffer): (Answered & { readonly isLast: boolean }) | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
  const body = chunked ? dechunked(bytes.subarray(end + 4)) : sized(bytes, end + 4, head);
  if (body === null) return null;
  return { status, body, retryAfter: /\r\nretry-after:/i.test(head), isLast: /\r\nconnection: *close/i.test(head) };
}

function sized(bytes: Buffer, from: number, head: string): Buffer | null {
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return bytes.length < from + length ? null : bytes.subarray(from, from + length);
}

/** RFC 9112 §7.1, without trailers; null while the last chunk is missing. */
function dechunked(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    if (!(size >= 0)) return noBody;
    const next = line + 2 + size + 2;
    if (bytes.length < next) return null;
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}
