// What is the same for all events of a type, or for all of a request and type: made once, so that an event costs its own
// fields and no more.

import { type EventType, type NamedField, stampedNames } from '../../schemas/event.ts';
import { nearestOf } from '../../schemas/nearest.ts';
import { topicOf } from '../../schemas/topic.ts';
import { type Writer, writerOf } from '../record/canonical.ts';
import { stampText } from '../record/stamp.ts';
import { type Fill, fillOf } from './derived.ts';
import type { Origin } from './origin.ts';
import type { KnownFields } from './rejection.ts';

export interface PrepareOptions {
  /** Topic pattern; {event_type} becomes the canonical name. */
  readonly topic: string;
  readonly jsonDepthMax: number;
}

/** Everything about one event type that is the same for each of its events. */
export interface PreparedType extends KnownFields {
  readonly type: EventType;
  readonly topic: string;
  /** What follows the event_id, up to the value of received_at. */
  readonly head: string;
  readonly writtenFields: readonly WrittenField[];
  readonly fill: Fill;
  /** The edge's part of the body for the request at hand, and which request that is. */
  stamp: string;
  stampFor: Origin | null;
}

/** Where a field stands in the body. */
interface WrittenField {
  readonly name: string;
  /** `,"name":` */
  readonly head: string;
  /** The same with the value that an absent field has. */
  readonly absent: string;
  readonly write: Writer;
}

export const prepare = (type: EventType, { topic, jsonDepthMax }: PrepareOptions): PreparedType => ({
  type,
  topic: topicOf(topic, type),
  head: `${stampText({ type: type.name, version: type.version })}"received_at":"`,
  writtenFields: type.allFields.map(field => writtenFieldOf(field, jsonDepthMax - 1)), // the event itself is the first level
  fill: fillOf(type),
  known: new Set(type.allFields.map(field => field.name)),
  nearest: nearestOf([...stampedNames, ...type.allFields.map(field => field.name)]),
  stamp: '',
  stampFor: null,
});

function writtenFieldOf(field: NamedField, depthMax: number): WrittenField {
  const head = `,"${field.name}":`;
  return { name: field.name, head, absent: head + field.absent, write: writerOf(field, depthMax) };
}

/** From after the event_id to the opening quote of timestamp; made once for all events of a request and type. */
export function stampOf(prepared: PreparedType, origin: Origin): string {
  if (prepared.stampFor !== origin) {
    const { receivedAtMs, source, ip, userAgent } = origin;
    prepared.stamp = `${prepared.head}${receivedText(receivedAtMs)}","source":${quoted(source)},"ip":${quoted(ip)},"user_agent":${quoted(userAgent)},"timestamp":"`;
    prepared.stampFor = origin;
  }
  return prepared.stamp;
}

const quoted = (said: string): string => (said === '' ? '""' : JSON.stringify(said.toWellFormed()));

let received = { ms: Number.NaN, text: '' };

/** Many requests come in one millisecond. */
function receivedText(ms: number): string {
  if (received.ms !== ms) received = { ms, text: new Date(ms).toISOString() };
  return received.text;
}
