// A connection to HiveServer2: one call at a time, over plain TCP (NOSASL) or SASL with a name and a password (PLAIN). Which
// of them the server wants it does not say; it is in the address. A connection that failed is of no more use.

import { connect, type Socket } from 'node:net';
import { callOf, type Field, incomplete, replyOf, type Struct } from './thrift.ts';

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** null: NOSASL. */
  readonly plain: { readonly user: string; readonly password: string } | null;
  readonly timeoutMs: number;
}

export interface Connection {
  /** The answer's struct. Rejects when the connection fails, or nothing answers in time. */
  call(method: string, request: readonly Field[], signal?: AbortSignal): Promise<Struct>;
  close(): void;
}

/** Statuses of SASL. */
const sasl = { start: 1, ok: 2, bad: 3, error: 4, complete: 5 };
/** More than any answer to what we say. */
const answerBytesMax = 64 * 1024 * 1024;

export async function openConnection(options: ConnectionOptions, signal?: AbortSignal): Promise<Connection> {
  const { plain, timeoutMs } = options;
  const wire = openWire(options);
  let sequence = 0;
  try {
    await wire.connected(signal);
    if (plain !== null) await greet(plain);
  } catch (error) {
    wire.close();
    throw error;
  }
  return {
    async call(method, request, callSignal) {
      const number = ++sequence;
      const bytes = callOf(method, number, request);
      wire.write(plain === null ? bytes : framed(bytes));
      try {
        const reply = await wire.read(
          held => {
            const body = plain === null ? held : unframed(held);
            if (body === incomplete) return incomplete;
            const found = replyOf(body);
            return found === incomplete ? incomplete : { value: found, length: held.length };
          },
          timeoutMs,
          callSignal,
        );
        if (reply.exception !== null) throw new Error(reply.exception);
        if (reply.success === null || reply.sequence !== number) throw new Error(`no answer to ${method}`);
        return reply.success;
      } catch (error) {
        wire.close();
        throw error;
      }
    },
    close: wire.close,
  };

  async function greet({ user, password }: { user: string; password: string }): Promise<void> {
    wire.write(Buffer.concat([saslMessage(sasl.start, 'PLAIN'), saslMessage(sasl.complete, `\0${user}\0${password}`)]));
    const { status, words } = await wire.read(saslReply, timeoutMs, signal);
    if (status !== sasl.complete && status !== sasl.ok) throw new Error(`it refuses ${user}: ${words}`);
  }
}

const saslMessage = (status: number, text: string): Buffer => {
  const bytes = Buffer.from(text);
  const head = Buffer.alloc(5);
  head.writeUInt8(status);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};

function saslReply(held: Buffer) {
  if (held.length < 5 || held.length < 5 + held.readUInt32BE(1)) return incomplete;
  const length = 5 + held.readUInt32BE(1);
  return { value: { status: held.readUInt8(), words: held.toString('utf8', 5, length) }, length };
}

const framed = (bytes: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(bytes.length);
  return Buffer.concat([head, bytes]);
};

/** An answer may be in several frames. */
function unframed(held: Buffer): Buffer | typeof incomplete {
  const parts: Buffer[] = [];
  for (let at = 0; at < held.length; ) {
    if (held.length < at + 4) return incomplete;
    const length = held.readUInt32BE(at);
    if (held.length < at + 4 + length) return incomplete;
    parts.push(held.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts.length === 0 ? incomplete : Buffer.concat(parts);
}

type Take<T> = (held: Buffer) => { readonly value: T; readonly length: number } | typeof incomplete;

interface Wire {
  connected(signal?: AbortSignal): Promise<void>;
  write(bytes: Buffer): void;
  read<T>(take: Take<T>, timeoutMs: number, signal?: AbortSignal): Promise<T>;
  close(): void;
}

function openWire({ host, port, timeoutMs }: ConnectionOptions): Wire {
  const socket: Socket = connect({ host, port });
  socket.setNoDelay(true);
  const held: Buffer[] = [];
  let failure: Error | null = null;
  let wake = (): void => {};
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  let isConnected = false;
  socket.on('connect', () => {
    isConnected = true;
    wake();
  });
  socket.on('data', (bytes: Buffer) => {
    held.push(bytes);
    wake();
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('it closed the connection')));

  /** Until `look` finds something, asked again after every event of the socket. */
  const until = async <T>(look: () => T | undefined, msMax: number, signal?: AbortSignal): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const timer = setTimeout(() => reject(new Error(`no answer within ${msMax} ms`)), msMax);
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    wake = () => {
      try {
        const found = look();
        if (found !== undefined) resolve(found);
        else if (failure !== null) reject(failure);
      } catch (error) {
        reject(error);
      }
    };
    try {
      if (signal?.aborted === true) onAbort();
      wake();
      return await promise;
    } finally {
      wake = () => {};
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  };

  return {
    async connected(signal) {
      await until(() => (isConnected ? true : undefined), timeoutMs, signal);
    },
    write: bytes => void socket.write(bytes),
    read: (take, msMax, signal) =>
      until(
        () => {
          const all = Buffer.concat(held);
          if (all.length > answerBytesMax) throw new Error(`an answer of more than ${answerBytesMax} bytes`);
          held.splice(0, held.length, all);
          const found = take(all);
          if (found === incomplete) return undefined;
          held.splice(0, held.length, all.subarray(found.length));
          return found.value;
        },
        msMax,
        signal,
      ),
    close: () => void socket.destroy(),
  };
}
