// A type's record as an Avro schema: what Pulsar's registry takes for topics of JSON, keeps in versions and compares. The bytes of
// a record stay JSON; the schema says which fields there are, of which kind, and which may be null.
//
// Each field has a default, so that a field that comes or goes is compatible both ways (Pulsar's FULL, its usual strategy), and
// one that changes its kind is not.

import { edgeColumns } from './columns.ts';
import type { EventType } from './event.ts';

interface AvroField {
  readonly name: string;
  readonly type: unknown;
  readonly default: unknown;
  readonly doc: string;
}

interface Kind {
  readonly type: unknown;
  readonly default: unknown;
}

/** In one spelling: the same type is the same text. */
export function avroSchema(type: EventType): string {
  const fields = [
    ...edgeColumns.map(({ name, type: column, about }) => fieldOf(name, kindOf(column), column, about)),
    ...type.allFields.map(({ name, kind, column, about }) =>
      fieldOf(name, kind === 'object' ? free : kindOf(column), column, about),
    ),
  ];
  return JSON.stringify({ type: 'record', name: type.name, namespace: 'ugc', doc: type.summary, fields });
}

const fieldOf = (name: string, kind: Kind, column: string, doc: string): AvroField =>
  column.includes('Nullable(')
    ? { name, type: ['null', kind.type], default: null, doc }
    : { name, type: kind.type, default: kind.default, doc };

/** Values may be any JSON, which Avro has no word for. */
const free: Kind = { type: { type: 'map', values: 'string' }, default: {} };
const texts: Kind = { type: { type: 'array', items: 'string' }, default: [] };
const text: Kind = { type: 'string', default: '' };

/** What is no number, truth value or list is written as a text: times and UUIDs, too. */
function kindOf(column: string): Kind {
  if (column.startsWith('Array(')) return texts;
  if (/\bBool\b/.test(column)) return { type: 'boolean', default: false };
  if (/\bFloat/.test(column)) return { type: 'double', default: 0 };
  return /\bU?Int\d/.test(column) ? { type: 'long', default: 0 } : text;
}
