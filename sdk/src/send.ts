// The way to the server: one batch after another, each until it is answered. Of an answer only what it says of each event counts;
// what it does not tell of stays in the queue and is tried again, with backoff and full jitter, and never before the server's
// Retry-After. A batch that is too large is halved; an event that is refused for good is told of and goes.

import type { Queue } from './queue.ts';
import type { Kept } from './store.ts';

/** Rejects when there is no answer. `keepalive`: the page goes. */
export type Post = (body: string, keepalive: boolean) => Promise<Response>;

/** True: the browser has taken it. */
export type Beacon = (body: string) => boolean | undefined;

export interface Sender {
  /** What is in the queue goes out with its batch. */
  added(): void;
  /** Resolves when the queue is empty, or a try has failed. Never rejects. */
  flush(): Promise<void>;
  /** The page is left or hidden: what a beacon takes goes with it, and stays until it is answered. */
  leave(beacon: Beacon): void;
}

export interface SenderOptions {
  readonly queue: Queue;
  readonly post: Post;
  readonly drop: (kept: Kept, why: string) => void;
  readonly batchEvents: number;
  readonly batchMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const backoffMs = 1_000;
const backoffMsMax = 60_000;
const retryAfterMsMax = 86_400_000;

interface Timer {
  unref?(): void;
}

export function senderOf({ queue, post, drop, batchEvents, batchMs, now }: SenderOptions): Sender {
  let failures = 0;
  let notBefore = 0;
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const plan = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), ms);
    if (failures) (timer as Timer).unref?.(); // no program stays for a server that is away
  };
  const later = (): void =>
    plan(Math.max(0, notBefore - now()) + Math.random() * Math.min(backoffMsMax, backoffMs * 2 ** failures));

  function added(): void {
    const { length } = queue.batch(batchEvents);
    if (running || failures || !length) return;
    if (length === batchEvents) void flush();
    else if (!timer) plan(batchMs);
  }

  /** False: it will be tried again; null: at once, as half as many. */
  async function deliver(batch: readonly Kept[], keepalive: boolean): Promise<boolean | null> {
    const answer = await post(bodyOf(batch), keepalive);
    if (answer.status === 413 && batch.length > 1) return null;
    const results = resultsOf(answer.status, await answer.json().catch(() => {}), batch.length);
    let isAll = true;
    for (const [at, { outcome, reason, errors = [] }] of results.entries()) {
      if (!finalOutcomes.includes(outcome)) isAll = false;
      else queue.done(batch[at]!);
      if (outcome === 'rejected')
        drop(batch[at]!, reason + errors.map(({ path, message }) => ` ${path} ${message}`).join());
    }
    if (!isAll) notBefore = now() + waitMsOf(answer.headers.get('retry-after'));
    return isAll;
  }

  async function run(): Promise<void> {
    for (let sizeMax = batchEvents; ; ) {
      const batch = queue.batch(sizeMax);
      if (!batch[0]) return;
      const isDelivered = await deliver(batch, false).catch(() => false); // no answer, or none of this world
      if (isDelivered === null) sizeMax = Math.ceil(batch.length / 2);
      else if (isDelivered) failures = 0;
      else {
        failures++;
        return later();
      }
    }
  }
  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    queue.gather();
    if (now() < notBefore) return later();
    running ??= run().finally(() => {
      running = null;
    });
    await running;
  }

  return {
    added,
    flush,
    leave(beacon) {
      const batch = queue.beacon();
      if (!batch[0]) return;
      const isTaken = beacon(bodyOf(batch));
      for (const kept of batch) kept.isBeaconed = true; // last: a page may be stopped at any step
      if (!isTaken) deliver(batch, true).catch(() => {});
    },
  };
}

const bodyOf = (batch: readonly Kept[]): string =>
  `{"sent_at":${Date.now()},"events":[${batch.map(({ eventJson }) => eventJson).join()}]}`;

/** Seconds, or a date. */
const waitMsOf = (retryAfter: string | null): number =>
  Math.min(retryAfterMsMax, Number(retryAfter) * 1_000 || Date.parse(`${retryAfter}`) - Date.now() || 0);

interface Result {
  readonly outcome: string;
  readonly reason: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

const finalOutcomes: readonly string[] = ['accepted', 'dropped', 'rejected'];

/** What the server says of each event; where it says nothing of them, what its status says of all. */
export function resultsOf(status: number, body: unknown, count: number): readonly Result[] {
  const { results, detail: reason = `${status}` } = (body ?? {}) as { results?: readonly Result[]; detail?: string };
  if (Array.isArray(results) && results.length === count) return results;
  const isFinal = status >= 400 && status < 500 && ![408, 429].includes(status);
  return Array<Result>(count).fill({ outcome: isFinal ? 'rejected' : 'failed', reason });
}
