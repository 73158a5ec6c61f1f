// An example of a type that has none of its own: a value for each field that must be there, made from the field.

import type { EventType, NamedField } from './event.ts';

/** An event that fits the type. `own`: examples that the fields' definitions give, by name. */
export function exampleOf(
  { name, allFields }: EventType,
  own: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const required = allFields.filter(field => field.absent === undefined || own[field.name] !== undefined);
  const values = required.map(field => [field.name, own[field.name] ?? sampleOf(field)] as const);
  return { event_type: name, timestamp: sampleTime, ...Object.fromEntries(values) };
}

const sampleTime = '2024-10-03T14:30:00Z';

/** Of fields that types have in common. */
const known: Readonly<Record<string, unknown>> = { country: 'US', device: 'mobile' };

interface Schema {
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

function sampleOf({ name, kind, schema }: NamedField): unknown {
  const { anyOf, minLength = 0, maxLength = 1, minimum, maximum } = schema as unknown as Schema;
  const constant = anyOf?.find(option => option.const !== undefined)?.const;
  if (constant !== undefined) return constant;
  switch (kind) {
    case 'text':
      return known[name] ?? name.slice(0, maxLength).padEnd(minLength, 'x');
    case 'number':
      return Math.min(Math.max(0, minimum ?? 0), maximum ?? Number.MAX_VALUE);
    case 'integer64':
      return 1;
    case 'boolean':
      return true;
    case 'uuid':
      return '01927a3e-5c1b-7d2f-9e4a-3b6c8d0f1a2e';
    case 'time':
      return sampleTime;
    case 'texts':
      return [];
    default:
      return {};
  }
}
