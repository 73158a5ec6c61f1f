// Whether the broker is worth waiting for. Closed: every publish goes there. Open: events go straight to the disk, but
// for one publish in `trialMs`, which goes to the broker with the disk behind it as any other; it costs a client the
// ack budget at most.
// - opens when so many publishes in a row have failed, or one is overdue and nothing was acked since it was sent: one
//   slow partition among many is no reason
// - closes on nothing but an ack within the budget. An ack that comes late says that the broker lives, not that clients
//   should wait for it: while it is slow the disk answers and the drain delivers.

import type { PipelineError } from '../errors.ts';

export interface Breaker {
  readonly isOpen: boolean;
  /** Why it opened; null while closed. */
  readonly reason: string | null;
  /** Whether a publish may go to the broker now. While open, true is given out as a trial. */
  allows(): boolean;
  /** The broker has acked what was sent then. */
  acked(sentAtMs: number): void;
  failed(error: PipelineError): void;
  /** What was sent then has had no answer within the budget. */
  overdue(sentAtMs: number): void;
}

export interface BreakerOptions {
  readonly budgetMs: number;
  readonly trialMs?: number;
  readonly failuresMax?: number;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Told each change: the reason when it opens, null when it closes. */
  readonly onChange?: (reason: string | null) => void;
}

export function breakerOf(options: BreakerOptions): Breaker {
  const { budgetMs, trialMs = 500, failuresMax = 5, now = () => performance.now(), onChange = () => {} } = options;
  let reason: string | null = null;
  let failures = 0;
  let ackedAtMs = Number.NEGATIVE_INFINITY;
  let nextTrialAtMs = 0;

  function open(why: string): void {
    if (reason !== null) return;
    reason = why;
    nextTrialAtMs = now() + trialMs;
    onChange(why);
  }

  return {
    get isOpen() {
      return reason !== null;
    },
    get reason() {
      return reason;
    },
    allows() {
      if (reason === null) return true;
      const atMs = now();
      if (atMs < nextTrialAtMs) return false;
      nextTrialAtMs = atMs + trialMs;
      return true;
    },
    acked(sentAtMs) {
      ackedAtMs = now();
      failures = 0;
      if (reason === null || ackedAtMs - sentAtMs > budgetMs) return;
      reason = null;
      onChange(null);
    },
    failed(error) {
      if (++failures >= failuresMax) open(error.message);
    },
    overdue(sentAtMs) {
      if (ackedAtMs < sentAtMs) open(`no answer within ${budgetMs} ms`);
    },
  };
}
