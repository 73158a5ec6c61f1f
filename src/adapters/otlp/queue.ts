// Spans on their way to the collector: a bounded queue, sent in batches beside everything else.
//
// - Nobody waits for it. What finds the queue full is dropped and counted, so the oldest, whose traces are begun, stay.
// - What may pass is tried again, longer and longer apart; a batch that fails too often, or for good, is dropped.
// - Closing sends what is there, once, for as long as it may take.

import { sleep } from '../../process/sleep.ts';
import type { Span } from './encode.ts';
import type { Sent } from './send.ts';

export interface SpanQueueOptions {
  /** Never rejects. */
  readonly send: (spans: readonly Span[], signal: AbortSignal) => Promise<Sent>;
  readonly onDropped: (spans: number) => void;
  /** What is wrong just now, in words; null = it is well again. */
  readonly onTrouble: (words: string | null) => void;
  readonly spansMax?: number;
  readonly batchMax?: number;
  /** A span waits for others so long. */
  readonly lingerMs?: number;
  readonly triesMax?: number;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
}

export interface SpanQueue {
  add(span: Span): void;
  /** Idempotent; resolves within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export function spanQueue(options: SpanQueueOptions): SpanQueue {
  const { send, onDropped, onTrouble, spansMax = 2_048, batchMax = 512, lingerMs = 1_000 } = options;
  const { triesMax = 6, retryMsMin = 1_000, retryMsMax = 30_000 } = options;
  const closing = new AbortController();
  const givingUp = new AbortController();
  let waiting: Span[] = [];
  let awaited = Promise.withResolvers<void>();
  let full = new AbortController();
  let closed: Promise<void> | undefined;
  const done = run();

  return {
    add(span) {
      if (waiting.length >= spansMax || closing.signal.aborted) {
        onDropped(1);
        return;
      }
      waiting.push(span);
      awaited.resolve();
      if (waiting.length >= batchMax) full.abort();
    },
    close: graceMs => (closed ??= end(graceMs)),
  };

  async function run(): Promise<void> {
    while (waiting.length > 0 || !closing.signal.aborted) {
      if (waiting.length === 0) {
        awaited = Promise.withResolvers();
        await awaited.promise;
        continue;
      }
      if (waiting.length < batchMax) {
        full = new AbortController();
        await sleep(lingerMs, AbortSignal.any([full.signal, closing.signal]));
      }
      const batch = waiting.slice(0, batchMax);
      waiting = waiting.slice(batchMax);
      await deliver(batch);
    }
  }

  async function deliver(batch: readonly Span[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      const sent = await send(batch, givingUp.signal);
      if (sent.ok) {
        if (sent.rejected > 0) onDropped(sent.rejected);
        onTrouble(sent.rejected > 0 ? `the collector throws spans away: ${sent.said}` : null);
        return;
      }
      onTrouble(sent.words);
      if (!sent.mayPass || tries >= triesMax || closing.signal.aborted) {
        onDropped(batch.length);
        return;
      }
      const pauseMs = Math.max(sent.waitMs, retryMsMin * 2 ** (tries - 1) * (0.5 + Math.random()));
      await sleep(Math.min(pauseMs, retryMsMax), closing.signal);
    }
  }

  async function end(graceMs: number): Promise<void> {
    closing.abort();
    awaited.resolve();
    const grace = setTimeout(() => givingUp.abort(), graceMs);
    await done;
    clearTimeout(grace);
  }
}
