// Load at a fixed rate, whatever the server does: a request is due when the schedule says so and is timed from then, also
// when every connection is still busy, so a stall is not hidden (no coordinated omission). One request at a time on a
// connection, more connections where all are busy, over plain sockets: a full HTTP client would take as much CPU as the server that is measured.

import { percentile } from './process.ts';

export interface Sample {
  /** Monotonic, as performance.now(). */
  readonly dueAtMs: number;
  /** Later than due where every connection was busy. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** 0 = the connection was cut. */
  readonly status: number;
  readonly stored: 'kafka' | 'disk' | null;
}

export interface OpenLoad {
  /** What has been answered so far. */
  readonly samples: readonly Sample[];
  /** Sends no more, waits for what is under way. */
  stop(): Promise<readonly Sample[]>;
}

export interface OpenLoadOptions {
  readonly url: string;
  readonly bodies: readonly string[];
  readonly perSecond: number;
}

/** A tick of the schedule; what is due within it is sent at its end. */
const tickMs = 1;
const connectionsAtStart = 64;
/** Enough for the ack budget at any rate measured here, or waiting for a free one would be measured. */
const connectionsMax = 4_000;

export async function openLoad({ url, bodies, perSecond }: OpenLoadOptions): Promise<OpenLoad> {
  const { hostname, port, host } = new URL(url);
  const requests = bodies.map(body =>
    Buffer.from(
      `POST /v1/events HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    ),
  );
  const samples: Sample[] = [];
  const due: number[] = [];
  const free: Client[] = [];
  let sent = 0;
  let open = 0;
  let isOver = false;

  const next = (client: Client): void => {
    const dueAtMs = due.shift();
    if (dueAtMs === undefined) free.push(client);
    else {
      open++;
      const sentAtMs = performance.now();
      client.send(requests[sent++ % requests.length]!, answer => {
        open--;
        samples.push({ dueAtMs, sentAtMs, answeredAtMs: performance.now(), ...answer });
        next(client);
      });
    }
  };
  let opened = connectionsAtStart;
  let opening = 0;
  const connect = () => clientOf(hostname, Number(port));
  const add = (): void => {
    opened++;
    opening++;
    void connect()
      .then(next, () => void opened--)
      .finally(() => void opening--);
  };
  free.push(...(await Promise.all(Array.from({ length: connectionsAtStart }, connect))));

  const startedAtMs = performance.now();
  const sending = (async () => {
    for (let count = 0; !isOver; await Bun.sleep(tickMs)) {
      // The first one is due at once.
      const until = 1 + Math.floor(((performance.now() - startedAtMs) * perSecond) / 1_000);
      for (; count < until; count++) due.push(startedAtMs + (count * 1_000) / perSecond);
      while (due.length > 0 && free.length > 0) next(free.pop()!);
      while (due.length > opening && opened < connectionsMax) add();
    }
  })();
  return {
    samples,
    async stop() {
      isOver = true;
      await sending;
      while (open > 0 || due.length > 0) await Bun.sleep(1);
      for (const client of free) client.close();
      return samples;
    },
  };
}

type Answer = Pick<Sample, 'status' | 'stored'>;

interface Client {
  send(request: Buffer, onAnswer: (answer: Answer) => void): void;
  close(): void;
}

const cut: Answer = { status: 0, stored: null };

/** A connection that is opened again whenever it was cut. */
async function clientOf(hostname: string, port: number): Promise<Client> {
  let onAnswer: ((answer: Answer) => void) | null = null;
  let received = '';
  const settle = (answer: Answer) => {
    const told = onAnswer;
    onAnswer = null;
    received = '';
    told?.(answer);
  };
  const connect = () =>
    Bun.connect({
      hostname,
      port,
      socket: {
        data(_, bytes) {
          received += bytes.toString('latin1');
          const answer = answerOf(received);
          if (answer !== null) settle(answer);
        },
        close: () => settle(cut),
        error: () => settle(cut),
      },
    });
  let socket = await connect();
  return {
    send(request, told) {
      onAnswer = told;
      if (socket.readyState === 1) socket.write(request);
      else
        connect().then(
          opened => {
            socket = opened;
            socket.write(request);
          },
          () => settle(cut),
        );
    },
    close: () => void socket.end(),
  };
}

/** Null while the answer is not whole. */
function answerOf(text: string): Answer | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
  if (text.length < end + 4 + length) return null;
  const stored = /"stored":"(kafka|disk)"/.exec(text)?.[1] as Sample['stored'] | undefined;
  return { status: Number(text.slice(9, 12)), stored: stored ?? null };
}

/** Times from due to answered, sorted, milliseconds. */
export const latenciesOf = (samples: readonly Sample[]): number[] =>
  samples.map(({ dueAtMs, answeredAtMs }) => answeredAtMs - dueAtMs).sort((a, b) => a - b);

/** Columns of a row, and how many answers were no 200. */
export function summaryOf(samples: readonly Sample[]) {
  const latencies = latenciesOf(samples);
  return {
    'p50 ms': percentile(latencies, 0.5),
    'p99 ms': percentile(latencies, 0.99),
    'max ms': latencies.at(-1) ?? Number.NaN,
    bad: samples.filter(({ status }) => status !== 200).length,
  };
}
