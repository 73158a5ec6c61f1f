// The broker with the disk behind it, as one log. An outcome is good when either has the event.
// - the broker fails → the events that failed go to the disk, whatever the reason: what can never be stored there the
//   drain finds out, and sets aside with the reason
// - the broker has not answered within the budget → the events are also written to the disk, and the first of the two
//   to have them answers; a late ack takes the copies back (copies.ts)
// - the disk fails too → the broker's late answer is waited for: it is the last chance
// - the breaker is open → the disk at once

import { PipelineError } from '../errors.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';
import type { Breaker } from './breaker.ts';
import type { Copies } from './copies.ts';

export interface HedgeOptions {
  readonly broker: Log;
  readonly disk: Log;
  readonly breaker: Breaker;
  readonly copies: Copies;
  readonly budgetMs: number;
  /** The broker has taken so many events after so long, or has let the budget pass. */
  readonly onAnswered?: (events: number, tookMs: number) => void;
}

/** A publish that the broker has not answered yet. */
interface Pending {
  readonly envelopes: readonly Envelope[];
  readonly sentAtMs: number;
  /** What the append has come to, once the budget was over; null before. */
  copied: Promise<readonly Outcome[]> | null;
  readonly answer: (outcomes: readonly Outcome[]) => void;
}

/** Closing it closes the broker's side, after every publish has its outcomes. The disk's stays open. */
export function hedge({ broker, disk, breaker, copies, budgetMs, onAnswered = () => {} }: HedgeOptions): Log {
  let unanswered = 0;
  let onQuiet = () => {};
  let closing: Promise<void> | undefined;

  async function publish(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    if (closing !== undefined) return envelopes.map(() => ({ ok: false, error: new PipelineError('shutting_down') }));
    unanswered++;
    try {
      return breaker.allows() ? await tryBroker(envelopes) : await disk.publish(envelopes);
    } finally {
      if (--unanswered === 0) onQuiet();
    }
  }

  function tryBroker(envelopes: readonly Envelope[]): Promise<readonly Outcome[]> {
    return new Promise(answer => {
      const sent: Pending = { envelopes, sentAtMs: performance.now(), copied: null, answer };
      const timer = setTimeout(copy, budgetMs, sent);
      void broker.publish(envelopes).then(outcomes => {
        clearTimeout(timer);
        settle(sent, outcomes);
      });
    });
  }

  function settle(sent: Pending, outcomes: readonly Outcome[]): void {
    report(sent, outcomes);
    if (sent.copied === null) {
      if (outcomes.every(isGood)) {
        onAnswered(outcomes.length, performance.now() - sent.sentAtMs);
        sent.answer(outcomes);
      } else void appendFailed(sent.envelopes, outcomes).then(sent.answer);
      return;
    }
    sent.envelopes.forEach((envelope, at) => {
      copies.settle(envelope, isGood(outcomes[at]));
    });
    if (outcomes.every(isGood)) sent.answer(outcomes);
    else void sent.copied.then(copied => sent.answer(better(outcomes, copied)));
  }

  function report({ sentAtMs }: Pending, outcomes: readonly Outcome[]): void {
    if (outcomes.some(isGood)) breaker.acked(sentAtMs);
    // A refusal is the event's matter, and a partition without a leader that partition's: neither says that the broker
    // is away.
    const failure = outcomes.find(
      outcome => !outcome.ok && outcome.error.code !== 'log_refused' && !outcome.error.isOfPart,
    );
    if (failure !== undefined && !failure.ok) breaker.failed(failure.error);
  }

  function copy(sent: Pending): void {
    breaker.overdue(sent.sentAtMs);
    onAnswered(sent.envelopes.length, budgetMs);
    copies.expect(sent.envelopes);
    sent.copied = disk.publish(sent.envelopes);
    void sent.copied.then(copied => {
      // Without room on the disk the broker's answer is the answer; if it is there already, settle has seen to it.
      if (copied.every(isGood)) sent.answer(copied);
    });
  }

  async function appendFailed(envelopes: readonly Envelope[], outcomes: readonly Outcome[]) {
    const failed = envelopes.filter((_, at) => !isGood(outcomes[at]));
    const appended = (await disk.publish(failed)).values();
    return outcomes.map(outcome => (outcome.ok ? outcome : appended.next().value!));
  }

  async function end(): Promise<void> {
    if (unanswered > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      onQuiet = resolve;
      await promise;
    }
    await broker.close();
  }

  return { publish, close: () => (closing ??= end()) };
}

const isGood = (outcome: Outcome | undefined): boolean => outcome?.ok === true;

/** Of each event the good outcome, if one of the two is. */
const better = (first: readonly Outcome[], second: readonly Outcome[]): readonly Outcome[] =>
  first.map((outcome, at) => (outcome.ok ? outcome : second[at]!));
