// A record of the log that no edge has written (another team's producer), that an edge of an older version has, or a dead
// letter that is tried once more → the body an edge would write now, or why it can never be a row. The judge is the edge's.
//
// - event_id: the record's when it is a UUID, else one made of the record and where it lies (derivedId), so that reading
//   the log again makes the same row again.
// - schema_version: an older record goes through its type's upgrades first; a newer one is left to a newer ugc.
// - received_at: the log's time of the record. A body that an edge stamped before keeps its stamp: when, from whom, where.

import { createHash } from 'node:crypto';
import type { Catalogue } from '../../schemas/catalogue.ts';
import { isStorable, readTime } from '../../schemas/time.ts';
import { topicOf } from '../../schemas/topic.ts';
import { upgrade } from '../../schemas/upgrade.ts';
import { type DeadReason, messageOf } from '../errors.ts';
import type { ForeignRecord, ForeignVerdict, JudgeForeign } from '../ports/source.ts';
import { parseJson } from '../record/json.ts';
import { isVersion, newerThan, stampStart } from '../record/stamp.ts';
import { isObject, type JudgeOptions, judgeOf, unwrap } from './judge.ts';
import type { Origin } from './origin.ts';
import { type JsonObject, readId } from './rejection.ts';

export interface ForeignJudgeOptions extends JudgeOptions {
  /** Larger records are not even parsed. */
  readonly bodyBytesMax: number;
  /** The clock a record's time is held against, epoch ms. */
  readonly now?: () => number;
}

/** No UGC_JSON_DEPTH_MAX is more, and no UGC_EVENT_BYTES_MAX with an edge's fields before the event. */
const depthMaxOfAnyEdge = 128;
const bytesMaxOfAnyEdge = 17 * 2 ** 20;

const stampBytes = Buffer.from(stampStart);
const isOfAnEdge = (value: Uint8Array): boolean => stampBytes.equals(value.subarray(0, stampBytes.length));

const decoder = new TextDecoder('utf-8', { fatal: true });

export function foreignJudgeOf(options: ForeignJudgeOptions): JudgeForeign {
  const judge = judgeOf(options);
  // What an edge has taken stays taken, whatever the bounds are now.
  const judgeAgain = judgeOf({ ...options, jsonDepthMax: Math.max(options.jsonDepthMax, depthMaxOfAnyEdge) });
  const { now: clock = Date.now } = options;
  const typeOfTopic = typesByTopic(options.catalogue, options.topic);

  return (record, { topic, partition }) => {
    const { value } = record;
    if (value === null) return dead('tombstone', 'the record has no value');
    const parsed = read(value, options.bodyBytesMax);
    if ('reason' in parsed) return parsed;
    const given = unwrap(parsed.event);
    const receivedAtMs = receivedAtOf(record, clock());
    const { event, origin, version } = isObject(given) ? originOf(given, receivedAtMs) : foreign(given, receivedAtMs);
    const hasType = isObject(event) && event.event_type !== undefined;
    const pathType = hasType ? null : (typeOfTopic.get(topic) ?? null);
    const now = isObject(event) && version !== null ? brought(event, version, pathType) : { event };
    if ('reason' in now) return now;
    const idOf = ({ event_id: id, timestamp }: JsonObject): string =>
      readId(id) ?? derivedId({ ...record, value }, topic, partition, timestamp);
    const identified = isObject(now.event) ? { ...now.event, event_id: idOf(now.event) } : now.event;
    const verdict = (version === null ? judge : judgeAgain)(identified, { ...origin, pathType });
    if (!verdict.ok)
      return dead(verdict.reason, verdict.errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; '));
    const { type, id, body } = verdict.envelope;
    return { ok: true, type, id, body };
  };

  /** The event as this version of its type has it, or why it cannot be. */
  function brought(event: JsonObject, version: number, pathType: string | null): { readonly event: JsonObject } | No {
    const name = event.event_type ?? pathType;
    const type = typeof name === 'string' ? options.catalogue.find(name) : undefined;
    if (type === undefined || version === type.version) return { event }; // the judge knows what to say of a type
    if (version > type.version)
      return { ok: false, reason: 'newer', detail: newerThan({ type: type.name, version }, type.version) };
    try {
      return { event: upgrade(type, event, version) };
    } catch (error) {
      return dead('invalid', messageOf(error));
    }
  }
}

type No = ForeignVerdict & { readonly ok: false };

const dead = (reason: DeadReason, detail: string): No => ({
  ok: false,
  reason,
  detail,
});

function read(value: Uint8Array, bytesMax: number): { readonly event: unknown } | No {
  if (value.length > (isOfAnEdge(value) ? bytesMaxOfAnyEdge : bytesMax))
    return dead('too_large', `the record takes more than ${bytesMax} bytes (UGC_BODY_BYTES_MAX)`);
  if (value.length === 0) return dead('not_json', 'the record is empty');
  let text: string;
  try {
    text = decoder.decode(value);
  } catch {
    return dead('not_utf8', 'the record is not UTF-8 text');
  }
  try {
    return { event: parseJson(text) };
  } catch (error) {
    return dead('not_json', messageOf(error));
  }
}

/** Topics that belong to one type: a record there need not say its own. */
function typesByTopic({ types }: Catalogue, pattern: string): ReadonlyMap<string, string> {
  const grouped = Map.groupBy(types, type => topicOf(pattern, type));
  return new Map([...grouped].flatMap(([topic, [type, other]]) => (other === undefined ? [[topic, type!.name]] : [])));
}

/** What an edge stamps beside the names a client may use. */
const stampNames: ReadonlySet<string> = new Set(['schema_version', 'received_at', 'source', 'ip', 'user_agent']);

interface Given {
  readonly event: unknown;
  readonly origin: Origin;
  /** By which an edge has judged it; null = none has. */
  readonly version: number | null;
}

/** The event as a client would have sent it, and where it came from. */
function originOf(given: JsonObject, receivedAtMs: number): Given {
  const { received_at: at, source, ip, user_agent: userAgent, schema_version: version } = given;
  const received = readTime(at);
  const isStamped = received !== null && isStorable(received) && isVersion(version);
  if (!isStamped || typeof source !== 'string' || typeof ip !== 'string' || typeof userAgent !== 'string')
    return foreign(given, receivedAtMs);
  return {
    event: Object.fromEntries(Object.entries(given).filter(([name]) => !stampNames.has(name))),
    origin: { ...plainOrigin(received.ms), source, ip, userAgent, wasJudged: true },
    version,
  };
}

const foreign = (event: unknown, receivedAtMs: number): Given => ({
  event,
  origin: plainOrigin(receivedAtMs),
  version: null,
});

const plainOrigin = (receivedAtMs: number): Origin => ({
  receivedAtMs,
  source: '',
  ip: '',
  userAgent: '',
  pathType: null,
  sentAt: undefined,
});

const dayMs = 86_400_000;

/** A log without times, or with a producer's that cannot be: then now. */
function receivedAtOf({ atMs }: ForeignRecord, nowMs: number): number {
  return atMs > 0 && atMs <= nowMs + dayMs ? Math.floor(atMs) : nowMs;
}

/**
 * The event_id of a record that brings none: a UUID of version 8 (RFC 9562 §5.8). 48 bits: the event's own timestamp in
 * epoch milliseconds where it has one, so that rows lie in the order of time; the other 74: the first bits of SHA-1 of
 * `topic/partition/position/` and the record's bytes, as in version 5. The bytes, since positions begin anew in a topic
 * that was made anew; no time of the log, since it is not the record's own. Of a record without a position the bytes
 * alone, behind a place that no other has (`///`).
 */
export function derivedId(
  { position, value }: { readonly position: number | null; readonly value: Uint8Array },
  topic: string,
  partition: number,
  timestamp: unknown,
): string {
  const ms = Math.min(Math.max(0, readTime(timestamp)?.ms ?? 0), 2 ** 48 - 1);
  const place = position === null ? '///' : `${topic}/${partition}/${position}/`;
  const hash = createHash('sha1').update(place).update(value).digest();
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  hash.copy(bytes, 6, 0, 10);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
