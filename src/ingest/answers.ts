// What a request is answered: of one event its outcome or a problem, of several a result each, in the body's order.

import type { Misfit } from '../../schemas/misfit.ts';
import { isObject, type Taken, unwrap } from '../catalogue/judge.ts';
import { type EdgeReason, type Rejection, readId } from '../catalogue/rejection.ts';
import { warningText } from '../catalogue/warning.ts';
import { PipelineError } from '../errors.ts';
import { type Answer, json, problem } from '../http/answer.ts';
import type { Told } from './readable.ts';
import { type Dropped, isDropped, type Ruled } from './ruled.ts';

export function answerOne(verdict: Ruled, outcome: Told | undefined, status: number): Answer {
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
export const isByClock = (verdict: Ruled): boolean =>
  !verdict.ok && (verdict.reason === 'in_future' || verdict.reason === 'too_old');

/** With a clock in doubt, what it refuses is not refused for good: its sender may try again. */
export function answerDoubted(
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
export function answerMany(
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
