// The types of the events as a client writes them, as TypeScript: an interface a type, and UgcEvent, any of them.

import type { EventType, NamedField } from './event.ts';

export const typescriptOf = (types: readonly EventType[]): string => `// Made from ugc's catalogue: ugc schema types

/** What every event may say besides its own fields. */
export interface UgcStamp {
  /** A UUID; the same one sent twice is one event. */
  readonly event_id?: string | null;
  /** ISO 8601 with a zone, or epoch milliseconds. */
  readonly timestamp: string | number;
  /** The client's clock when it sends. */
  readonly sent_at?: string | number | null;
}

${types.map(interfaceOf).join('\n\n')}

export type UgcEvent =
${types.map(type => `  | ${interfaceName(type)}`).join('\n')};
`;

/** cart_add → CartAddEvent */
export const interfaceName = ({ name }: EventType): string =>
  `${name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Event`;

function interfaceOf(type: EventType): string {
  const names = [type.name, ...type.aliases].map(name => JSON.stringify(name)).join(' | ');
  const fields = type.allFields.map(
    field =>
      `  /** ${field.about} */\n  readonly ${field.name}${field.absent === undefined ? '' : '?'}: ${typeOf(field)};`,
  );
  return `/** ${type.summary} */
export interface ${interfaceName(type)} extends UgcStamp {
  readonly event_type: ${names};
${fields.join('\n')}
}`;
}

interface Schema {
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly type?: string;
}

function typeOf({ schema, kind }: NamedField): string {
  const alternatives = (schema as Schema).anyOf ?? [schema as Schema];
  const isNullable = alternatives.some(({ type }) => type === 'null');
  const sorts = alternatives.filter(({ type }) => type !== 'null').flatMap(sortsOf);
  const type = kind === 'object' ? 'Readonly<Record<string, unknown>>' : [...new Set(sorts)].join(' | ');
  return isNullable ? `${type} | null` : type;
}

function sortsOf(schema: Schema): readonly string[] {
  if (schema.anyOf) return schema.anyOf.flatMap(sortsOf);
  if ('const' in schema) return [JSON.stringify(schema.const)];
  switch (schema.type) {
    case 'integer':
      return ['number'];
    case 'bigint':
      return []; // in JSON it is a number or its digits as text
    case 'array':
      return ['readonly string[]'];
    default:
      return [schema.type!];
  }
}
