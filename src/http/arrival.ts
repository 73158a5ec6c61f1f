// The body of a request as it comes in. Who refuses a request before all of its body is there must go on reading: a
// connection that is closed on data that the server has not read is reset, and the client meets a broken pipe instead
// of the answer. So the answer leaves at once, and what still comes is read and thrown away, up to a size and a time (a
// lingering close).

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
  /** Reads on and throws away. Resolves when the body is over, or is too much or takes too long. Never rejects. */
  discard(): Promise<void>;
}

export const arrivalOf = (request: Request): Arrival => new RequestArrival(request);

class RequestArrival implements Arrival {
  readonly announcedBytes: number | null;
  readonly isSmall: boolean;
  readonly #request: Request;
  /** Null = not asked yet: to look at the body of a request makes a stream of it. */
  #isOver: boolean | null;
  #bytes: Promise<Uint8Array> | null = null;
  #reader: Reader | null = null;
  /** What is being waited for: a stream has one reader, and one who gave up waiting has not taken it back. */
  #coming: Promise<Uint8Array | null> | null = null;
  #isLetGo = false;

  constructor(request: Request) {
    const said = request.headers.get('content-length');
    this.#request = request;
    this.announcedBytes = said === null ? null : Number(said);
    this.isSmall = this.announcedBytes !== null && this.announcedBytes <= wholeBytesMax;
    this.#isOver = this.announcedBytes === 0 ? true : null;
  }

  isOver(): boolean {
    this.#isOver ??= this.#bytes === null && this.#request.body === null;
    return this.#isOver;
  }

  whole(): Promise<Uint8Array> {
    this.#bytes = this.#taken();
    return this.#bytes;
  }

  next(): Promise<Uint8Array | null> {
    this.#coming ??= this.#bytes?.then(nothing, nothing) ?? (this.isOver() ? Promise.resolve(null) : this.#piece());
    return this.#coming;
  }

  async discard(): Promise<void> {
    if (this.#isLetGo) return;
    const untilMs = performance.now() + lingerMsMax;
    let bytes = 0;
    try {
      while (!this.isOver() && bytes <= lingerBytesMax && performance.now() < untilMs) {
        const came = await orLate(this.next());
        if (came === 'late' || came === null) break;
        bytes += came.length;
      }
    } catch {
      // The client is gone, and waits for no answer.
    }
    if (this.isOver()) return;
    this.#isLetGo = true;
    void this.#reader?.cancel().catch(() => {});
  }

  async #taken(): Promise<Uint8Array> {
    try {
      return await this.#request.bytes();
    } finally {
      this.#end();
    }
  }

  async #piece(): Promise<Uint8Array | null> {
    this.#reader ??= readerOf(this.#request);
    try {
      const { done, value } = await this.#reader.read();
      if (!done) return value;
      this.#end();
      return null;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      this.#coming = null;
    }
  }

  /** A stream that was cancelled says that it has ended. */
  #end(): void {
    if (!this.#isLetGo) this.#isOver = true;
  }
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

/** The text of an answer at once; it ends, and with it the connection, when what still arrives has been thrown away. */
export const lingering = (text: string, arrival: Arrival): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>({
    async pull(controller) {
      controller.enqueue(encoder.encode(text));
      await arrival.discard();
      controller.close();
    },
  });
