// The body of a request as it comes in. Who refuses a request before all of its body is there must go on reading: a
// connection that is closed on data that the server has not read is reset, and the client meets a broken pipe instead
// of the answer. So the answer leaves at once, and what still comes is read and thrown away, up to a size and a time (a
// lingering close).

import { type Held, type Holder, heldWithoutBound } from './held.ts';

/** Bodies announced smaller than this are taken whole; larger ones piece by piece, so that slow but moving is fine. */
const wholeBytesMax = 65_536;

/** How much is read of a body that no handler wants any more, for how long, and how long nothing of it may come. */
const lingerBytesMax = 256 * 1024 * 1024;
const lingerMsMax = 30_000;
const lingerIdleMsMax = 2_000;

export interface Arrival {
  /** As the client says; null = in chunks, or nothing at all. */
  readonly announcedBytes: number | null;
  /** Announced, and small enough to be taken whole. */
  readonly isSmall: boolean;
  /** Nothing more comes, or nothing was ever to come. */
  isOver(): boolean;
  whole(): Promise<Uint8Array>;
  /** The next piece; null = that was all. Rejects when the connection breaks. */
  next(): Promise<Uint8Array | null>;
  /** So many bytes of it are kept. Throws `overloaded` when that is too much beside the bodies of others. */
  hold(bytes: number): void;
  /** Rejects with `overloaded` when it has to make room for others while it is still coming. */
  cut(): Promise<never>;
  /** Nothing of it has to come any more. */
  arrived(): void;
  /** Nothing of it is kept any more. */
  release(): void;
  /** Reads on and throws away. Resolves when the body is over, or is too much or takes too long. Never rejects. */
  discard(): Promise<void>;
}

export function arrivalOf(request: Request, held: Held = heldWithoutBound): Arrival {
  const said = request.headers.get('content-length');
  const announcedBytes = said === null ? null : Number(said);
  const isSmall = announcedBytes !== null && announcedBytes <= wholeBytesMax;
  /** Null = not known without a look: to look at the body of a request makes a stream of it. */
  let isKnownOver = announcedBytes === null ? null : announcedBytes === 0;
  let bytes: Promise<Uint8Array> | null = null;
  let reader: Reader | null = null;
  /** What is being waited for: a stream has one reader, and one who gave up waiting has not taken it back. */
  let coming: Promise<Uint8Array | null> | null = null;
  let isLetGo = false;
  const holder: Holder = { kept: 0, cut: null };

  function isOver(): boolean {
    isKnownOver ??= bytes === null && request.body === null;
    return isKnownOver;
  }

  /** A stream that was cancelled says that it has ended. */
  function end(): void {
    if (!isLetGo) isKnownOver = true;
  }

  async function taken(): Promise<Uint8Array> {
    try {
      return await request.bytes();
    } finally {
      end();
    }
  }

  async function piece(): Promise<Uint8Array | null> {
    const from = reader ?? readerOf(request);
    reader = from;
    try {
      const { done, value } = await from.read();
      if (!done) return value;
      end();
      return null;
    } catch (error) {
      end();
      throw error;
    } finally {
      coming = null;
    }
  }

  function next(): Promise<Uint8Array | null> {
    coming ??= bytes?.then(nothing, nothing) ?? (isOver() ? Promise.resolve(null) : piece());
    return coming;
  }

  async function discard(): Promise<void> {
    if (isLetGo) return;
    if (isSmall && reader === null && bytes === null && !isOver()) bytes = taken(); // a stream costs more
    const untilMs = performance.now() + lingerMsMax;
    let length = 0;
    try {
      while (!isOver() && length <= lingerBytesMax && performance.now() < untilMs) {
        const came = await orLate(next());
        if (came === 'late' || came === null) break;
        length += came.length;
      }
    } catch {
      // The client is gone, and waits for no answer.
    }
    if (isOver()) return;
    isLetGo = true;
    void reader?.cancel().catch(() => {});
  }

  return {
    announcedBytes,
    isSmall,
    isOver,
    whole() {
      bytes = taken();
      return bytes;
    },
    next,
    hold: more => held.hold(holder, more),
    cut() {
      const { promise, reject } = Promise.withResolvers<never>();
      promise.catch(() => {}); // whoever is no longer waiting need not be told
      holder.cut = reject;
      return promise;
    },
    arrived: () => held.arrived(holder),
    release: () => held.release(holder),
    discard,
  };
}

const nothing = (): null => null;

type Reader = ReturnType<typeof readerOf>;
const readerOf = (request: Request) => (request.body as ReadableStream<Uint8Array>).getReader();

async function orLate<T>(coming: Promise<T>): Promise<T | 'late'> {
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), lingerIdleMsMax);
  try {
    return await Promise.race([coming, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const encoder = new TextEncoder();

/** The body of an answer at once; it ends, and with it the connection, when what still arrives has been thrown away. */
export const lingering = (body: string | Uint8Array, arrival: Arrival): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(typeof body === 'string' ? encoder.encode(body) : body);
      await arrival.discard();
      controller.close();
    },
  });
