// Events of one request → judged → published → one answer. An answer of 200 waits for every envelope to be durable; one
// bad event never costs the good ones; an event without an outcome counts as failed.

import type { Misfit } from '../../schemas/misfit.ts';
import { type EdgeVerdict, isObject, type Judge, type Taken, unwrap } from '../catalogue/judge.ts';
import type { Origin } from '../catalogue/origin.ts';
import { type EdgeReason, type Rejection, readId, reject } from '../catalogue/rejection.ts';
import { warned, warningText } from '../catalogue/warning.ts';
import { messageOf, PipelineError } from '../errors.ts';
import { type Answer, json, problem } from '../http/answer.ts';
import type { Envelope, Log, Outcome } from '../ports/log.ts';
import type { Clock } from '../process/clock.ts';
import type { Metrics } from '../process/telemetry.ts';
import type { Ack } from './ack.ts';
import type { Ledger } from './ledger.ts';
import { type Readable, type Told, unreadable } from './readable.ts';
import { Misread, type Reading } from './reading.ts';
import type { Recent } from './recent.ts';
import type { Rejections } from './rejections.ts';
import { type Dropped, divertedType, isDropped, type Ruled, type Ruling, ruled, unwanted } from './ruled.ts';
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
  const judge = judgeOfUsers(options.judge, options.userPolicy ?? 'override');
  const publish = onceEachMoment(async envelopes => completed(await log.publish(envelopes), envelopes));
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
    const { firsts, places } = distinct(envelopes);
    const answered = places === null ? verdicts : repeatedTold(verdicts, firsts);
    const startedAt = performance.now();
    const published = await publish(firsts);
    const outcomes = places === null ? published : places.map(place => published[place]!);
    count(verdicts, envelopes, outcomes, (performance.now() - startedAt) / 1000);
    note(verdicts, envelopes, outcomes, isRuled);
    noteRejections({ events: reading.events, verdicts, outcomes, origin, isDoubted: doubt !== null });
    recent?.note(reading.events, verdicts, outcomes, origin.receivedAtMs);
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
    const isNone = verdicts.length === outcomes.length;
    if (isNone || !rejections || (outcomes.length > 0 && !outcomes.some(({ ok }) => ok))) return;
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
function repeatedTold(verdicts: readonly Ruled[], firsts: readonly Envelope[]): readonly Ruled[] {
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

function answerOne(verdict: Ruled, outcome: Told | undefined, status: number): Answer {
  if (isDropped(verdict)) return json(200, droppedText(verdict));
  if (!verdict.ok) return problem(codeOf(verdict), { reason: verdict.reason, errors: verdict.errors });
  if (outcome?.ok) return json(status, acceptedText(verdict, outcome.stored));
  return problem(outcome?.error ?? new PipelineError('internal'));
}

/** The one answer of a single event that was rejected: 400, 403, 413 or 422. */
function codeOf({ reason, errors }: Rejection<EdgeReason>): PipelineError {
  const detail = summaryOf(errors);
  if (reason === 'not_json') return new PipelineError('not_json', detail);
  if (reason === 'not_allowed') return new PipelineError('forbidden', detail);
  return new PipelineError(reason === 'too_large' ? 'too_large' : 'invalid', detail);
}

const acceptedText = ({ envelope, warnings }: Taken, stored: string): string =>
  `{"event_id":"${envelope.id}","outcome":"accepted","stored":"${stored}"${warningText(warnings)}}`;

const droppedText = ({ envelope, rule }: Dropped): string =>
  `{"event_id":"${envelope.id}","outcome":"dropped","rule":"${rule}"}`;

const summaryOf = (errors: readonly Misfit[]): string =>
  errors.map(({ path, message }) => (path === '' ? message : `${path} ${message}`)).join('; ');

/** Refused by what time it is here. */
const isByClock = (verdict: Ruled): boolean =>
  !verdict.ok && (verdict.reason === 'in_future' || verdict.reason === 'too_old');

/** With a clock in doubt, what it refuses is not refused for good: its sender may try again. */
function answerDoubted(
  events: readonly unknown[],
  verdicts: readonly Ruled[],
  outcomes: readonly Told[],
  words: string,
): Answer {
  if (!outcomes.some(({ ok }) => ok)) return problem(new PipelineError('clock_wrong', words));
  return answerMany(verdicts, outcomes, 200, (verdict, at) => {
    if (!isByClock(verdict)) return null;
    const event = unwrap(events[at]);
    const id = isObject(event) ? readId(event.event_id) : null;
    const own = id === null ? {} : { event_id: id };
    return JSON.stringify({ ...own, outcome: 'failed', reason: 'clock_wrong', retry: true });
  });
}

/** `instead`: the result of an event that is told otherwise than usual. */
function answerMany(
  verdicts: readonly Ruled[],
  outcomes: readonly Told[],
  durable: number,
  instead: (verdict: Ruled, at: number) => string | null = () => null,
): Answer {
  if (verdicts.length === 0) return problem(new PipelineError('invalid', 'the body holds no event'));
  const failure = outcomes.find(outcome => !outcome.ok);
  if (failure !== undefined && !failure.ok && outcomes.every(outcome => !outcome.ok)) return problem(failure.error);
  let [accepted, dropped] = [0, 0];
  let results = '';
  let next = 0;
  for (const [at, verdict] of verdicts.entries()) {
    const outcome = verdict.ok ? outcomes[next++] : undefined;
    if (outcome?.ok) accepted++;
    else if (isDropped(verdict)) dropped++;
    results += (results === '' ? '' : ',') + (instead(verdict, at) ?? resultOf(verdict, outcome));
  }
  const rejected = verdicts.length - accepted - dropped;
  const status = rejected === 0 ? durable : accepted + dropped === 0 ? 422 : 207;
  const byRule = dropped === 0 ? '' : `,"dropped":${dropped}`;
  return json(status, `{"accepted":${accepted},"rejected":${rejected}${byRule},"results":[${results}]}`);
}

function resultOf(verdict: Ruled, outcome: Told | undefined): string {
  if (isDropped(verdict)) return droppedText(verdict);
  if (!verdict.ok) return JSON.stringify({ outcome: 'rejected', reason: verdict.reason, errors: verdict.errors });
  if (outcome?.ok) return acceptedText(verdict, outcome.stored);
  const reason = outcome === undefined ? 'internal' : outcome.error.code;
  return JSON.stringify({ event_id: verdict.envelope.id, outcome: 'failed', reason, retry: true });
}
