// The way to the server: one batch after another, each until it is answered. Of an answer only what it says of each event counts;
// what it does not tell of stays in the queue and is tried again, with backoff and full jitter, and never before the server's
// Retry-After. A batch that is too large is halved; an event that is refused for good is told of and goes.

import type { Queue } from './queue.ts';
import type { Kept } from './store.ts';

export interface Answered {
  readonly status: number;
  /** The answer's body; null when it is no JSON. */
  readonly body: unknown;
  readonly retryAfter: string | null;
}

/** Rejects when there is no answer. `keepalive`: the page goes. */
export type Post = (body: string, keepalive: boolean) => Promise<Answered>;

export interface Sender {
  /** Something is in the queue: it goes out with its batch. */
  added(): void;
  /** Resolves when the queue is empty, or a try has failed. Never rejects. */
  flush(): Promise<void>;
  /** The page is left or hidden: what a beacon takes goes with it, and stays until it is answered. */
  leave(beacon: (body: string) => boolean): void;
}

export interface SenderOptions {
  readonly queue: Queue;
  readonly post: Post;
  readonly drop: (kept: Kept, why: string) => void;
  readonly batchEvents: number;
  readonly batchMs: number;
  /** How often to say that this page lives, and to look for what the dead have left; 0 = nobody else is there. */
  readonly beatMs: number;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const backoffMs = 1_000;
const backoffMsMax = 60_000;
const retryAfterMsMax = 86_400_000;

interface Timer {
  unref?(): void;
}

export function senderOf({ queue, post, drop, batchEvents, batchMs, beatMs, now }: SenderOptions): Sender {
  let failures = 0;
  let notBefore = 0;
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let beating: ReturnType<typeof setInterval> | undefined;

  const plan = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void flush(), ms);
    if (failures) (timer as Timer).unref?.(); // no program stays for a server that is away
  };
  const later = (): void =>
    plan(Math.max(0, notBefore - now()) + Math.random() * Math.min(backoffMsMax, backoffMs * 2 ** failures));

  function beat(): void {
    const isAlone = queue.gather();
    if (queue.size) added();
    else if (isAlone) {
      clearInterval(beating);
      beating = undefined;
    }
  }
  function added(): void {
    if (beatMs) beating ??= setInterval(beat, beatMs);
    if (running !== null || failures) return;
    if (queue.size >= batchEvents) void flush();
    else if (timer === undefined) plan(batchMs);
  }

  /** False: it will be tried again; null: at once, as half as many. */
  async function deliver(batch: readonly Kept[], keepalive: boolean): Promise<boolean | null> {
    const answer = await post(bodyOf(batch), keepalive).catch(() => null);
    if (answer === null) return false;
    const { status, retryAfter } = answer;
    if (status === 413 && batch.length > 1) return null;
    let isAll = true;
    for (const [at, why] of outcomesOf(answer, batch.length).entries()) {
      if (why === null) isAll = false;
      else {
        queue.done(batch[at]!);
        if (why !== '') drop(batch[at]!, why);
      }
    }
    if (retryAfter !== null && !isAll) notBefore = now() + waitMsOf(retryAfter);
    return isAll;
  }

  async function run(): Promise<void> {
    for (let sizeMax = batchEvents; ; ) {
      if (beatMs) queue.gather();
      const batch = queue.batch(sizeMax);
      if (batch.length === 0) return;
      const isDelivered = await deliver(batch, false);
      if (isDelivered === null) sizeMax = Math.ceil(batch.length / 2);
      else if (isDelivered) failures = 0;
      else {
        failures++;
        return later();
      }
    }
  }
  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    if (now() < notBefore) {
      later();
      return running ?? Promise.resolve();
    }
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  }

  return {
    added,
    flush,
    leave(beacon) {
      const batch = queue.beacon();
      if (batch.length === 0) return;
      for (const kept of batch) kept.isBeaconed = true;
      if (!beacon(bodyOf(batch))) void deliver(batch, true);
    },
  };
}

const bodyOf = (batch: readonly Kept[]): string =>
  `{"sent_at":${Date.now()},"events":[${batch.map(({ json }) => json).join()}]}`;

/** Seconds, or a date. */
const waitMsOf = (retryAfter: string): number =>
  Math.min(retryAfterMsMax, Number(retryAfter) * 1_000 || Date.parse(retryAfter) - Date.now() || 0);

interface Result {
  readonly outcome?: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

/** Of each event: '' = done, null = to be tried again, else why it is refused for good. */
export function outcomesOf({ status, body }: Answered, count: number): readonly (string | null)[] {
  const { results, detail, title } = (body ?? {}) as { results?: readonly Result[]; detail?: string; title?: string };
  if (Array.isArray(results) && results.length === count)
    return (results as readonly Result[]).map(({ outcome, reason, errors }) => {
      if (outcome === 'accepted' || outcome === 'dropped') return '';
      if (outcome !== 'rejected') return null;
      return [reason, ...(errors ?? []).map(({ path, message }) => `${path} ${message}`)].join(': ');
    });
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  return Array<string | null>(count).fill(isFinal ? `${status} ${detail ?? title ?? ''}` : null);
}
