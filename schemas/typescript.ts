// The types of the events as a client writes them, as TypeScript: a type each, and UgcEvent, any of them; and the fields a
// user of the SDK gives, who leaves stamp and context to it.

import type { EventType, NamedField } from './event.ts';

export const typescriptOf = (types: readonly EventType[]): string => `// Made from ugc's catalogue: ugc schema types

/** ISO 8601 with a zone, or epoch milliseconds. */
export type UgcTime = string | number;

/** What every event says besides its own fields: when it happened, or at least when it was sent. */
export type UgcStamp = {
  /** A UUID; the same one sent twice is one event. */
  readonly event_id?: string | null;
} & (
  | {
      readonly timestamp: UgcTime;
      /** The client's clock when it sends. */
      readonly sent_at?: UgcTime | null;
    }
  | {
      readonly timestamp?: undefined;
      /** The client's clock when it sends; without a timestamp the event happened then. */
      readonly sent_at: UgcTime;
    }
);

${types.map(declarationOf).join('\n\n')}

export type UgcEvent =
${types.map(type => `  | ${typeName(type)}`).join('\n')};
`;

const stampOfSdk = `/** What the SDK gives by itself where an event does not say it. */
interface Given {
  /** A UUID; the same one sent twice is one event. */
  readonly event_id?: string;
  /** When it happened: ISO 8601 with a zone, or epoch milliseconds. */
  readonly timestamp?: string | number;
}`;

const givenBySdk: ReadonlySet<string> = new Set(['user_id', 'anonymous_id', 'country', 'device']);

/** sdk/src/events.ts: by event type, what `track` takes. */
export const sdkTypesOf = (
  types: readonly EventType[],
): string => `// The fields of every event. \`npm run generate\` writes it.

${stampOfSdk}

export interface Events {
${types.map(sdkFieldsOf).join('\n')}
}
`;

const sdkFieldsOf = ({ name, summary, allFields }: EventType): string => `  /** ${summary} */
  readonly ${name}: Given & {
${allFields
  .map(field => {
    const mayLack = field.absent !== undefined || givenBySdk.has(field.name);
    return `    /** ${field.about} */
    readonly ${field.name}${mayLack ? '?' : ''}: ${typeOf(field).replaceAll('"', "'")};`;
  })
  .join('\n')}
  };`;

/** cart_add → CartAddEvent */
export const typeName = ({ name }: EventType): string =>
  `${name.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Event`;

function declarationOf(type: EventType): string {
  const names = [type.name, ...type.aliases].map(name => JSON.stringify(name)).join(' | ');
  const fields = type.allFields.map(
    field =>
      `  /** ${field.about} */\n  readonly ${field.name}${field.absent === undefined ? '' : '?'}: ${typeOf(field)};`,
  );
  return `/** ${type.summary} */
export type ${typeName(type)} = UgcStamp & {
  readonly event_type: ${names};
${fields.join('\n')}
};`;
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
