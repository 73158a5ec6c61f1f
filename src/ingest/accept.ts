// Events of one request → judged → published → one answer. An answer of 200 waits for every envelope to be durable; one
// bad event never costs the good ones; an event without an outcome counts as failed.

import type { EdgeVerdict, Judge } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import { type EdgeReason, type Rejection, reject } from '../catalogue/rejection.ts';
import { warned } from '../catalogue/warning.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { type Answer, problem } from '../http/answer.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';
import { nobodyWatches, type Watched } from '../ports/passing.ts';
import type { Clock } from '../process/clock.ts';
import type { Metrics } from '../process/telemetry.ts';
import type { Ack } from './ack.ts';
import { answerDoubted, answerMany, answerOne, isByClock } from './answers.ts';
import type { Ledger } from './ledger.ts';
import { type Readable, type Told, unreadable } from './readable.ts';
import { Misread, type Reading } from './reading.ts';
import type { Recent } from './recent.ts';
import type { Rejections } from './rejections.ts';
import { divertedType, isDropped, type Ruled, type Ruling, ruled, unwanted } from './ruled.ts';
import { onceEachMoment } from './same-moment.ts';
import { judgeOfUsers, type UserPolicy } from './user.ts';

export interface AcceptOptions {
  readonly judge: Judge;
  readonly log: Log;
  readonly metrics: Metrics;
  /** For who holds the tables against what was answered. */
  readonly ledger?: Pick<Ledger, 'note' | 'noteRuled'> | null;
  /** For who asks what senders lose. */
  readonly rejections?: Pick<Rejections, 'note'> | null;
  /** For who asks for receipts. */
  readonly recent?: Recent;
  /** For who watches what passes. */
  readonly watched?: Watched;
  /** For who asks for `stored`. */
  readonly readable?: Readable;
  /** Of the operator, as they are just now; null = there are none. */
  readonly ruling?: () => Ruling | null;
  /** While it is wrong nothing is taken, and while it is doubted no event is refused for good by it. */
  readonly clock?: Pick<Clock, 'problem'>;
  /** What becomes of an event that names another user than its sender is known to be. */
  readonly userPolicy?: UserPolicy;
}

export type Accept = (reading: Reading, origin: Origin, ack?: Ack) => Promise<Answer>;

const noRuling = (): null => null;

export function acceptOf(options: AcceptOptions): Accept {
  const { log, metrics, ledger, rejections, recent, readable = unreadable, ruling = noRuling, clock } = options;
  const { watched = nobodyWatches } = options;
  const judge = judgeOfUsers(options.judge, options.userPolicy ?? 'override');
  const publish = onceEachMoment(async envelopes => completed(await log.publish(envelopes), envelopes));
  const publishTraced = (envelopes: readonly Envelope[], { trace }: Origin) =>
    trace ? trace.publish(envelopes, publish) : publish(envelopes);
  return async (reading, origin, ack) => {
    const refusal = ack === 'stored' ? readable.refusal() : null;
    if (refusal !== null) return problem(new PipelineError('bad_request', refusal));
    const doubt = clock?.problem() ?? null;
    if (doubt?.isCertain) return problem(new PipelineError('clock_wrong', doubt.words));
    const rules = ruling();
    const judged = reading.events.map(event => judgeOne(event, origin));
    const isRuled = rules !== null || origin.unwanted !== undefined;
    const verdicts = isRuled ? judged.map(verdict => ruledOne(verdict, origin, rules)) : judged;
    const envelopes = verdicts.flatMap(verdict => (verdict.ok ? verdict.envelope : []));
    const distinctly = distinct(envelopes);
    const { firsts, places } = distinctly;
    const answered = repeatedTold(verdicts, distinctly);
    const startedAt = performance.now();
    const published = await publishTraced(firsts, origin);
    const outcomes = places === null ? published : places.map(place => published[place]!);
    count(verdicts, envelopes, outcomes, (performance.now() - startedAt) / 1000);
    note(verdicts, envelopes, outcomes, isRuled);
    if (envelopes.length < verdicts.length)
      noteRejections({ events: reading.events, verdicts, outcomes, origin, isDoubted: doubt !== null });
    recent?.note(reading.events, verdicts, outcomes, origin.receivedAtMs);
    watched.now?.note(reading.events, verdicts, outcomes, origin);
    const told = ack === 'stored' ? await readable.told(envelopes, outcomes) : outcomes;
    const durable = ack === 'stored' && told.some(isWaiting) ? 202 : 200;
    if (doubt !== null && verdicts.some(isByClock)) return answerDoubted(reading.events, answered, told, doubt.words);
    return reading.isSingle ? answerOne(answered[0]!, told[0], durable) : answerMany(answered, told, durable);
  };

  function note(
    verdicts: readonly Ruled[],
    envelopes: readonly Envelope[],
    outcomes: readonly Outcome[],
    isRuled: boolean,
  ): void {
    if (!ledger) return;
    if (!isRuled) {
      ledger.note(envelopes, outcomes);
      return;
    }
    const isRow = ({ type }: Envelope): boolean => type !== divertedType;
    ledger.note(
      envelopes.filter(isRow),
      outcomes.filter((_, at) => isRow(envelopes[at]!)),
    );
    const diverted = envelopes.filter((envelope, at) => !isRow(envelope) && outcomes[at]?.ok);
    ledger.noteRuled([...verdicts.filter(isDropped).map(({ envelope }) => envelope), ...diverted]);
  }

  /** Those that are told so: what is answered with a failure comes again. */
  function noteRejections({ events, verdicts, outcomes, origin, isDoubted }: Answered): void {
    if (!rejections || (outcomes.length > 0 && !outcomes.some(({ ok }) => ok))) return;
    for (const [at, verdict] of verdicts.entries())
      if (!verdict.ok && !isDropped(verdict) && !(isDoubted && isByClock(verdict)))
        rejections.note(events[at], verdict, origin.source);
  }

  function ruledOne(verdict: EdgeVerdict, origin: Origin, rules: Ruling | null): Ruled {
    if (origin.unwanted !== undefined) return unwanted(verdict, origin.unwanted, metrics.ruled.add);
    return rules === null ? verdict : ruled(verdict, origin, rules);
  }

  function judgeOne(event: unknown, origin: Origin): EdgeVerdict {
    if (event instanceof PipelineError) return misread(event);
    try {
      const verdict = judge(event, origin);
      return verdict.ok && origin.eventTypes?.has(verdict.envelope.type) === false
        ? notAllowed(verdict.envelope.type, origin)
        : verdict;
    } catch (error) {
      // A fault of ours, and the same again however often it is sent: the good events beside it must not be refused
      // with it.
      return reject('invalid', null, {
        path: '',
        message: `it could not be judged, a fault of ugc: ${messageOf(error)}`,
      });
    }
  }

  function count(
    verdicts: readonly Ruled[],
    envelopes: readonly Envelope[],
    outcomes: readonly Outcome[],
    seconds: number,
  ) {
    for (const verdict of verdicts) {
      if (verdict.ok) continue;
      if (isDropped(verdict)) {
        metrics.eventsReceived.add(verdict.type ?? noKnownType, 'dropped');
        continue;
      }
      metrics.eventsRejected.add(verdict.reason);
      metrics.eventsReceived.add(verdict.type ?? noKnownType, 'rejected');
    }
    envelopes.forEach(({ type }, at) => {
      const outcome = outcomes[at];
      metrics.eventsReceived.add(type, outcome?.ok ? 'accepted' : 'failed');
      if (outcome?.ok) metrics.eventsStored.add(type, outcome.stored);
    });
    const first = outcomes[0];
    if (first?.ok) metrics.ack.observe({ stored: first.stored }, seconds);
  }
}

/** The events of a request, and what became of them. */
interface Answered {
  readonly events: readonly unknown[];
  readonly verdicts: readonly Ruled[];
  readonly outcomes: readonly Outcome[];
  readonly origin: Origin;
  /** By the clock as it is none is refused for good. */
  readonly isDoubted: boolean;
}

const misread = (error: PipelineError): Rejection<EdgeReason> =>
  error instanceof Misread
    ? reject('invalid', null, error)
    : reject('not_json', null, { path: '', message: error.message });

const notAllowed = (type: string, { source }: Origin): Rejection<EdgeReason> =>
  reject('not_allowed', type, { path: '/event_type', message: `${type} may not be sent with the key "${source}"` });

/** The label of what is of no type of the catalogue's: no type could be called so. */
const noKnownType = '(unknown)';

/**
 * Of several events of one type and id in a request the first counts, so only it is published: ClickHouse could not tell
 * them apart by when they were received. `places`: for each envelope, which of `firsts` stands for it; null = each for itself.
 */
function distinct(envelopes: readonly Envelope[]): Distinct {
  if (envelopes.length < 2) return { firsts: envelopes, places: null };
  const firsts: Envelope[] = [];
  const placeOf = new Map<string, number>();
  const places = envelopes.map(envelope => {
    const sameId = placeOf.get(envelope.id);
    if (sameId === undefined) placeOf.set(envelope.id, firsts.length);
    else if (firsts[sameId]!.type === envelope.type) return sameId;
    else {
      // One id under several types: several events.
      const known = placeOf.get(envelope.id + envelope.type);
      if (known !== undefined) return known;
      placeOf.set(envelope.id + envelope.type, firsts.length);
    }
    return firsts.push(envelope) - 1;
  });
  return firsts.length === envelopes.length ? { firsts, places: null } : { firsts, places };
}

interface Distinct {
  readonly firsts: readonly Envelope[];
  readonly places: readonly number[] | null;
}

/** Who sends one event twice in a request is told of it. */
function repeatedTold(verdicts: readonly Ruled[], { firsts, places }: Distinct): readonly Ruled[] {
  if (places === null) return verdicts;
  const counted = new Set(firsts);
  return verdicts.map(verdict =>
    !verdict.ok || counted.has(verdict.envelope)
      ? verdict
      : { ...verdict, warnings: warned(verdict.warnings, 'repeated') },
  );
}

/** One outcome per envelope, whatever the log forgot: no outcome is a failure. */
function completed(outcomes: readonly Outcome[], envelopes: readonly Envelope[]): readonly Outcome[] {
  if (outcomes.length === envelopes.length) return outcomes;
  return envelopes.map((_, at) => outcomes[at] ?? { ok: false, error: new PipelineError('internal') });
}

/** Durable, and its row has not been seen. */
const isWaiting = (told: Told): boolean => told.ok && told.stored !== 'clickhouse';
