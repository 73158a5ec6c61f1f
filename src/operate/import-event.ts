// A record of theirs → an envelope of ours, by a mapping and the edge's own judge.
//
// - event_id is made of the mapping's name and their id, or of what the record says: importing twice makes the same rows.
// - Their times are kept: no age is too old. received_at is when they received it.

import { isStorable, readTime } from '../../schemas/time.ts';
import { isObject, type Judge } from '../catalogue/judge.ts';
import type { Envelope } from '../ports/log.ts';
import { importSource } from '../ports/own-source.ts';
import type { Kind, Mapping } from './import-mapping.ts';
import { mappedValue, timeOf, valueAt } from './import-value.ts';

export type Imported =
  | { readonly outcome: 'taken'; readonly envelope: Envelope }
  /** The mapping says so, of records of this kind of theirs. */
  | { readonly outcome: 'skipped'; readonly kind: string }
  | { readonly outcome: 'rejected'; readonly reason: string; readonly detail: string };

export interface ImportOptions {
  readonly mapping: Mapping;
  /** Bound by no age. */
  readonly judge: Judge;
  readonly now?: () => number;
}

/** Of the ids made here: never to be changed, or a repeat would be another row. */
const namespace = '5d0f1c1e-7c0c-5f0a-9a55-6a3f4f1f0c7d';

const rejected = (reason: string, detail: string): Imported => ({ outcome: 'rejected', reason, detail });

/** `spelling`: the record as it stood in its file, or JSON of it. */
export function importRecord(
  record: unknown,
  spelling: string,
  { mapping, judge, now = Date.now }: ImportOptions,
): Imported {
  if (!isObject(record)) return rejected('invalid', 'the record is no object');
  const name = valueAt(record, mapping.type);
  const kindName = name === undefined ? '' : String(name);
  const kind = kindOf(mapping, kindName);
  if (kind === undefined)
    return rejected('unmapped', `the mapping has no type for ${JSON.stringify(kindName)}, and no "other"`);
  if (kind === 'skip') return { outcome: 'skipped', kind: kindName };
  const timestamp = timeOf(record, mapping.time);
  const happened = readTime(timestamp);
  if (happened === null) return rejected('invalid', `/timestamp is no time: ${JSON.stringify(timestamp) ?? 'nothing'}`);
  const received = mapping.received === undefined ? null : readTime(timeOf(record, mapping.received));
  const clockMs = now();
  const receivedAtMs = Math.min((received !== null && isStorable(received) ? received : happened).ms, clockMs);
  const verdict = judge(
    { ...fieldsOf(record, mapping, kind), event_type: kind.type, event_id: idOf(record, spelling, mapping), timestamp },
    {
      receivedAtMs,
      clockMs,
      source: importSource(mapping.name),
      ip: '',
      userAgent: '',
      pathType: null,
      sentAt: undefined,
    },
  );
  if (!verdict.ok)
    return rejected(verdict.reason, verdict.errors.map(({ path, message }) => `${path} ${message}`.trim()).join('; '));
  // In the log it is new: its place there, and how long a broker keeps it, goes by this time.
  return { outcome: 'taken', envelope: { ...verdict.envelope, receivedAtMs: clockMs } };
}

const kindOf = ({ types, other }: Mapping, name: string): Kind | undefined =>
  Object.hasOwn(types, name) ? types[name] : other;

function fieldsOf(record: object, { fields = {} }: Mapping, kind: Exclude<Kind, 'skip'>): Record<string, unknown> {
  const event: Record<string, unknown> = {};
  for (const [name, source] of Object.entries({ ...fields, ...kind.fields })) {
    const value = mappedValue(record, source);
    if (value !== undefined) event[name] = value;
  }
  return event;
}

function idOf(record: object, spelling: string, { id, name }: Mapping): string {
  const theirs = id === undefined ? undefined : valueAt(record, id);
  const text = theirs === undefined ? [name, 'record', spelling] : [name, 'id', String(theirs)];
  return Bun.randomUUIDv5(JSON.stringify(text), namespace);
}
