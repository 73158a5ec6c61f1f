// Whether a record of the quarantine is an event that can go back to the log, judged by its bytes alone.
//
// A record the log behind the buffer refused is as it was acked: it keeps its topic and type. A damaged one is not, and
// may still read well: a flipped bit inside a text is another text. It goes back only when its operator asks for it by
// its reason, and as what its own bytes say.

import { keyOf } from '../../schemas/key.ts';
import type { QuarantinedRecord } from '../ports/buffer-file.ts';
import type { Envelope } from '../ports/log.ts';
import { parseJson } from '../record/json.ts';
import { isId, isVersion } from '../record/stamp.ts';

/** What the buffer itself sets aside. */
const damages = new Set(['body', 'head', 'unreadable']);

export const isDamage = ({ reason }: Pick<QuarantinedRecord, 'reason'>): boolean => damages.has(reason);

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The envelope, or why not. `topicOfType` knows the event types there are. */
export function envelopeOf(record: QuarantinedRecord, topicOfType: (type: string) => string | null): Envelope | string {
  const body = textOf(record.raw);
  if (body === null) return record.raw.length === 0 ? 'its bytes are gone' : 'it is not UTF-8 on one line';
  const event = objectOf(body);
  if (event === null) return 'it is not a JSON object';
  const { event_id: id, event_type: type, schema_version: version, received_at: receivedAt } = event;
  if (typeof id !== 'string' || !isId(id)) return 'its event_id is not a UUID';
  if (typeof type !== 'string') return 'it has no event_type';
  if (!isVersion(version)) return 'its schema_version is no version';
  const receivedAtMs = typeof receivedAt === 'string' ? Date.parse(receivedAt) : Number.NaN;
  if (Number.isNaN(receivedAtMs)) return 'its received_at is not a time';
  if (![event.user_id, event.anonymous_id].every(isKey)) return 'its user_id or anonymous_id is no id';
  const topic = isDamage(record) ? topicOfType(type) : record.topic;
  if (topic === null || (!isDamage(record) && type !== record.type)) return 'its event_type is not what it should be';
  return { id, type, version, topic, key: keyOf(event), body, receivedAtMs };
}

/** Null when they are not UTF-8, or more than one line. */
export function textOf(raw: Uint8Array): string | null {
  if (raw.length === 0 || raw.includes(10)) return null;
  try {
    return decoder.decode(raw);
  } catch {
    return null;
  }
}

export function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value = parseJson(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null;
  }
}

const isKey = (value: unknown): boolean =>
  value === undefined || value === null || ['string', 'number', 'bigint'].includes(typeof value);
