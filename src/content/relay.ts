// The relay: what waits in the content store's outbox → the log, as events like any other.
//
// - Of all processes one relays, the one that has the outbox; another takes over once it has let go.
// - Of a user and a film at most one event is in the log's hands at a time, and while one fails none after it is tried: so
//   none overtakes. Others go on.
// - An event leaves the outbox after the log has it. A crash between the two publishes it again, with the event_id that was
//   fixed when the change was made, so it stays one row.
// - While it is paused events wait in the outbox, also at a stop.
// - What can never be published, because it fits its type no more or the log refuses it, is set aside in the disk buffer's
//   quarantine with the reason, and the rest flows.

import type { Judge } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import { messageOf, PipelineError } from '../errors.ts';
import type { SetAside } from '../ports/buffer.ts';
import type { ContentStore, Outbox, OutboxEvent } from '../ports/content.ts';
import { type Gate, openGate } from '../ports/flow-control.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';
import { contentSource } from '../ports/own-source.ts';
import { sleep } from '../process/sleep.ts';
import type { Logger } from '../process/telemetry.ts';
import { watchOutbox } from './outbox-watch.ts';

export interface RelayMetrics {
  /** An event is in the log. */
  relayed(type: string, events: number): void;
  leads(isLeading: boolean): void;
  /** `oldestMs`: its age; 0 = nothing waits. */
  waiting(events: number, oldestMs: number): void;
}

export interface RelayOptions {
  readonly store: Pick<ContentStore, 'lead' | 'outbox'>;
  readonly log: Pick<Log, 'publish'>;
  readonly judge: Judge;
  /** Where events of a type go; null = it is not known. */
  readonly topicOf: (type: string) => string | null;
  /** Keeps what can never be published. */
  readonly setAside: (records: readonly SetAside[]) => Promise<void>;
  /** Events that leave the outbox now: the log has them, or has refused them for good. */
  readonly onPassed?: (envelopes: readonly Envelope[], outcomes: readonly Outcome[]) => void;
  /** Whether anything may be published now; absent = always. */
  readonly gate?: Pick<Gate, 'isShut' | 'watch'>;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
  readonly batchMax?: number;
  /** How often the outbox is looked at where nothing wakes it: another process may have filled it. */
  readonly pollMs?: number;
  /** After a waking so much is waited for what comes with it. */
  readonly gatherMs?: number;
  readonly retryMsMin?: number;
  readonly retryMsMax?: number;
  /** An event that waits longer is told of. */
  readonly lateMs?: number;
}

export interface Relay {
  /** There is something in the outbox. Cheap. */
  wake(): void;
  /** What does not work just now, in words, by part. */
  problems(): Readonly<Record<string, string>>;
  /** Brings its metrics up to date. */
  scrape(): Promise<void>;
  /** Idempotent. Publishes what waits, for so long at most, then lets go of the outbox. */
  stop(graceMs: number): Promise<void>;
}

export function startRelay(options: RelayOptions): Relay {
  const { store, gate = openGate, logger, metrics, batchMax = 1_000, pollMs = 1_000, gatherMs = 4 } = options;
  const { retryMsMin = 100, retryMsMax = 5_000 } = options;
  const stopping = new AbortController();
  const givingUp = new AbortController();
  /** In the log, and the outbox could not be told of it yet. */
  const untold = new Set<string>();
  const watch = watchOutbox(options);
  let waking = new AbortController();
  let trouble: string | null = null;

  gate.watch(() => waking.abort());
  const done = run();
  return {
    wake: () => waking.abort(),
    problems: () => {
      const late = watch.late();
      return late === null ? {} : { content_outbox: trouble === null ? late : `${late}: ${trouble}` };
    },
    scrape: watch.look,
    stop: async graceMs => {
      stopping.abort();
      const grace = setTimeout(() => givingUp.abort(), graceMs);
      await done;
      clearTimeout(grace);
      await watch.stop();
    },
  };

  async function run(): Promise<void> {
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        const outbox = await store.lead(stopping.signal);
        if (outbox === null) return;
        await leading(outbox);
        failures = 0;
      } catch (error) {
        told(error, 'the outbox of the content store cannot be read; its events wait there');
        await sleep(pauseMs(failures++), stopping.signal);
      }
    }
  }

  function pauseMs(failures: number): number {
    return Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures, 20)) * (0.5 + Math.random() / 2);
  }

  /** Once, as long as it is the same. */
  function told(error: unknown, words: string): void {
    if (trouble !== messageOf(error)) logger.warn({ err: error }, words);
    trouble = messageOf(error);
  }

  async function leading(outbox: Outbox): Promise<void> {
    const ended = new AbortController();
    void outbox.lost.then(reason => {
      if (!stopping.signal.aborted) logger.warn({ reason }, 'another process may publish the events of content now');
      ended.abort();
    });
    const over = AbortSignal.any([ended.signal, givingUp.signal]);
    metrics.leads(true);
    try {
      await relayAll(outbox, over);
    } finally {
      metrics.leads(false);
      await outbox.close().catch(error => logger.warn({ err: error }, 'the outbox could not be let go in order'));
    }
  }

  async function relayAll(outbox: Outbox, over: AbortSignal): Promise<void> {
    for (let failures = 0; !over.aborted; ) {
      waking = new AbortController();
      const events = await readOn(outbox);
      if (over.aborted) return;
      if (events.length === 0) {
        if (stopping.signal.aborted) return;
        await rest(over);
        continue;
      }
      const failure = await relay(outbox, events, over);
      failures = failure === null ? 0 : failures + 1;
      if (failure === null) continue;
      told(failure, 'events of content could not be published; they are tried again');
      await sleep(pauseMs(failures - 1), over);
    }
  }

  async function readOn(outbox: Outbox): Promise<readonly OutboxEvent[]> {
    if (gate.isShut) return [];
    const events = await outbox.read(batchMax);
    if (events.length > 0) return events;
    untold.clear();
    trouble = null;
    return events;
  }

  async function rest(over: AbortSignal): Promise<void> {
    await sleep(pollMs, AbortSignal.any([over, stopping.signal, waking.signal]));
    if (waking.signal.aborted) await sleep(gatherMs, AbortSignal.any([over, stopping.signal]));
  }

  /** Why some of them are still to be published, or null. */
  async function relay(
    outbox: Outbox,
    events: readonly OutboxEvent[],
    over: AbortSignal,
  ): Promise<PipelineError | null> {
    const done: OutboxEvent[] = [];
    let failure: PipelineError | null = null;
    const held = new Set<string>();
    for (const wave of wavesOf(events)) {
      if (over.aborted) break;
      const free = wave.filter(event => !held.has(partOf(event)));
      const fresh = free.filter(({ eventId }) => !untold.has(eventId));
      const sent = await publish(fresh);
      failure ??= sent.failure;
      for (const event of sent.left) held.add(partOf(event));
      const left = new Set(sent.left);
      done.push(...free.filter(event => !left.has(event)));
    }
    for (const { eventId } of done) untold.add(eventId);
    if (done.length > 0) await outbox.published(done);
    for (const { eventId } of done) untold.delete(eventId);
    return failure;
  }

  async function publish(events: readonly OutboxEvent[]) {
    const left: OutboxEvent[] = [];
    const aside: SetAside[] = [];
    const asideOf: OutboxEvent[] = [];
    let failure: PipelineError | null = null;
    const putAside = (event: OutboxEvent, record: SetAside): void => {
      aside.push(record);
      asideOf.push(event);
    };
    const envelopes: Envelope[] = [];
    const senders: OutboxEvent[] = [];
    for (const event of events) {
      const envelope = envelopeOf(event);
      if ('reason' in envelope) putAside(event, envelope);
      else {
        envelopes.push(envelope);
        senders.push(event);
      }
    }
    const outcomes = envelopes.length === 0 ? [] : await options.log.publish(envelopes);
    for (const [at, event] of senders.entries()) {
      const outcome = outcomes[at] ?? { ok: false, error: new PipelineError('log_unknown') };
      if (outcome.ok) metrics.relayed(event.type, 1);
      else if (outcome.error.code === 'log_refused') {
        const { topic, type, body } = envelopes[at]!;
        putAside(event, { topic, type, ...placeOf(event), reason: outcome.error.message, body });
      } else {
        failure ??= outcome.error;
        left.push(event);
      }
    }
    if (aside.length > 0) {
      try {
        await options.setAside(aside);
        logger.error(
          { records: aside.length, reason: aside[0]?.reason },
          'events of content can never be published: set aside in the quarantine of the disk buffer (ugc buffer)',
        );
      } catch (error) {
        failure ??= error instanceof PipelineError ? error : new PipelineError('buffer_failed', messageOf(error));
        left.push(...asideOf);
      }
    }
    const remaining = new Set(left);
    const isPassed = (_: unknown, at: number): boolean => !remaining.has(senders[at]!);
    options.onPassed?.(envelopes.filter(isPassed), outcomes.filter(isPassed));
    return { left, failure };
  }

  function envelopeOf(event: OutboxEvent): Envelope | SetAside {
    const { type, eventId, userId, atMs, fields } = event;
    const said = { event_type: type, event_id: eventId, timestamp: atMs, user_id: userId, ...fields };
    const verdict = options.judge(said, originAt(atMs));
    if (verdict.ok) return verdict.envelope;
    const reason = verdict.errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; ');
    const topic = options.topicOf(type) ?? type;
    return { topic, type, ...placeOf(event), reason: `${type} is no event: ${reason}`, body: JSON.stringify(said) };
  }
}

/** Taken at the moment of the change, and bound to nothing: it was judged when it was made. */
const originAt = (receivedAtMs: number): Origin => ({
  receivedAtMs,
  source: contentSource,
  ip: '',
  userAgent: '',
  pathType: null,
  sentAt: undefined,
  wasJudged: true,
});

/** It was never in the buffer: a position before all of those, the same whenever the event is set aside again. */
const placeOf = ({ eventId }: OutboxEvent): { readonly position: number; readonly index: number } => ({
  position: -1 - Number.parseInt(eventId.slice(-12), 16),
  index: 0,
});

/** What is told in order: all of a user about a film. */
const partOf = ({ userId, fields }: OutboxEvent): string => JSON.stringify([userId, fields.film_id ?? null]);

/** The first of each user and film, then the second of each, and so on. */
function wavesOf(events: readonly OutboxEvent[]): readonly (readonly OutboxEvent[])[] {
  const waves: OutboxEvent[][] = [];
  const counts = new Map<string, number>();
  for (const event of events) {
    const part = partOf(event);
    const nth = counts.get(part) ?? 0;
    counts.set(part, nth + 1);
    waves[nth] ??= [];
    waves[nth].push(event);
  }
  return waves;
}
