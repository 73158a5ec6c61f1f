// Which event a log record is: OTLP has no ids, and whoever gets no answer sends the same records again, perhaps in other
// batches. So the id is made of what a record is: its resource, its scope, and all that it says itself, both times among it.
//
// - Of records that are alike in one request each is one: they are counted.
// - Records alike to the nanosecond in two requests are one: nothing tells them from one that was sent twice.
// - A record that says no time at all could be any of the lines like it, now or in a year: it has no id of its own, and is a
//   new row each time it is sent.
// - `log.record.uid` comes before all that: it is the sender's word for which records are one.
//   https://opentelemetry.io/docs/specs/semconv/registry/attributes/log/#log-record-uid

import { type JsonObject, readId } from '../../catalogue/rejection.ts';
import { jsonText } from './json-text.ts';

/** Of the ids made here: never to be changed, or a repeat would be another row. */
const namespace = '0b2c6d0e-50a4-4a8e-8b55-7f4f0c1f7a9d';

export interface Recorded {
  /** Its resource and scope, as text. */
  readonly around: string;
  /** The fields of its own. */
  readonly own: JsonObject & { readonly attributes: JsonObject; readonly time_unix_nano: string | null };
  /** To the nanosecond. */
  readonly observedAt: string | null;
}

/** For the records of one request, in order; null = it has none. */
export type Identify = (record: Recorded) => string | null;

export function identifierOf(source: string): Identify {
  const seen = new Map<string, number>();
  return ({ around, own, observedAt }) => {
    const uid = own.attributes['log.record.uid'];
    if (typeof uid === 'string' && uid !== '') return readId(uid) ?? idOf('uid', source, uid);
    if (own.time_unix_nano === null && observedAt === null) return null;
    const id = idOf(around, jsonText(own), observedAt);
    const before = seen.get(id) ?? 0;
    seen.set(id, before + 1);
    return before === 0 ? id : idOf('again', id, before);
  };
}

const idOf = (what: string, which: string, beside: string | number | null): string =>
  Bun.randomUUIDv5(`${what}\n${which}\n${beside}`, namespace);
