// Why an event was not taken: a closed set of reasons, and the findings that help its sender.

import { stampedNames } from '../../schemas/event.ts';
import { describe, type Misfit, pointerOf } from '../../schemas/misfit.ts';
import type { Nearest } from '../../schemas/nearest.ts';
import { type ClientTime, isStorable, readTime, timeExpectation } from '../../schemas/time.ts';
import { isUuid } from '../../schemas/uuid.ts';

export const rejectReasons = ['not_json', 'invalid', 'unknown_type', 'too_old', 'in_future', 'too_large'] as const;
export type RejectReason = (typeof rejectReasons)[number];

/** Of the edge alone: a record in the log has no sender any more. */
export const edgeReasons = [...rejectReasons, 'not_allowed'] as const;
export type EdgeReason = (typeof edgeReasons)[number];

export interface Rejection<Reason extends string = RejectReason> {
  readonly ok: false;
  readonly reason: Reason;
  /** The event type, when it is one of the catalogue's. */
  readonly type: string | null;
  readonly errors: readonly Misfit[];
}

export type JsonObject = Record<string, unknown>;

/** At most this many findings are told of one event. */
export const misfitsMax = 10;

/** What is wrong with a whole event, or with one field of it. */
export const reject = <Reason extends string>(
  reason: Reason,
  type: string | null,
  { path, message }: Misfit,
): Rejection<Reason> => ({
  ok: false,
  reason,
  type,
  errors: [{ path, message }],
});

/** The nil and max UUIDs (RFC 9562 §5.9, §5.10) are what a broken client sends for everything. */
const noIdPattern = /^(0{8}|f{8})-(0{4}|f{4})-(0{4}|f{4})-(0{4}|f{4})-(0{12}|f{12})$/i;

/** A client's event_id in canonical form, or null when it is none. */
export function readId(value: unknown): string | null {
  if (typeof value !== 'string' || !isUuid(value) || noIdPattern.test(value)) return null;
  return value.toLowerCase();
}

/** A client's sent_at, or null when it is no time, or one no column can hold. Unlike a timestamp it has no other bounds. */
export function readSentAt(value: unknown): ClientTime | null {
  const sent = readTime(value);
  return sent !== null && isStorable(sent) ? sent : null;
}

/** What is wrong with the fields the edge reads itself. */
export function stampErrors(event: JsonObject, sentAt: unknown): Misfit[] {
  const errors: Misfit[] = [];
  const { event_id: id, timestamp } = event;
  const hasSentAt = sentAt !== undefined && sentAt !== null;
  if (id !== undefined && id !== null && readId(id) === null)
    errors.push({ path: '/event_id', message: `expected a UUID, neither all zeros nor all ones, got ${describe(id)}` });
  if (readTime(timestamp) === null && !(timestamp === undefined && hasSentAt))
    errors.push({ path: '/timestamp', message: `expected ${timeExpectation}, got ${describe(timestamp)}` });
  if (hasSentAt && readSentAt(sentAt) === null)
    errors.push({
      path: '/sent_at',
      message: `expected ${timeExpectation} of the years 1900 to 2299, got ${describe(sentAt)}`,
    });
  return errors;
}

/** The fields of an event type. */
export interface KnownFields {
  readonly known: ReadonlySet<string>;
  readonly nearest: Nearest;
}

/** The fields an event type does not have; what they hold is not told. */
export function unknownErrors(event: JsonObject, { known, nearest }: KnownFields): Misfit[] {
  const errors: Misfit[] = [];
  for (const name of Object.keys(event)) {
    if (errors.length >= misfitsMax) break;
    if (!known.has(name) && !stampedNames.includes(name))
      errors.push({ path: `/${pointerOf(name)}`, message: unknownMessage(nearest(name)) });
  }
  return errors;
}

const unknownMessage = (near: string | undefined): string =>
  `is no field of this event type; ${near === undefined ? 'free fields go into properties' : `did you mean ${near}?`}`;
