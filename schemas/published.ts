// What has been published of each type (published.json), and what a change of a definition would break: writers that send
// what was taken until now, or readers of rows and records written until now. Such a change is refused unless the
// version is raised; a definition then has an upgrade for records of each version before, or is none (event.ts).

import type { TSchema } from '@sinclair/typebox';
import type { EventType } from './event.ts';
import type { Field } from './field.ts';

/** What clients and readers rely on, as it stands in published.json. */
export interface Shape {
  readonly version: number;
  readonly family: string;
  readonly stream: string;
  readonly aliases: readonly string[];
  readonly fields: Readonly<Record<string, FieldShape>>;
}

export interface FieldShape {
  readonly takes: Taken;
  /** What stands in the record when it is absent; undefined = required. */
  readonly absent?: string;
  readonly column: string;
  readonly words?: Readonly<Record<string, string>>;
}

/** The part of JSON Schema that decides what is taken. Bounds of 64-bit integers are text. */
interface Taken {
  readonly type?: string;
  readonly const?: string | number;
  readonly format?: string;
  readonly minimum?: number | string;
  readonly maximum?: number | string;
  readonly exclusiveMaximum?: number | string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: Taken;
  readonly anyOf?: readonly Taken[];
}

export type Published = Readonly<Record<string, Shape>>;

export interface Change {
  readonly type: string;
  /** In words. */
  readonly what: string;
  readonly breaks: boolean;
}

export const shapeOf = (type: EventType): Shape => ({
  version: type.version,
  family: type.family,
  stream: type.stream,
  aliases: type.aliases,
  fields: Object.fromEntries(type.allFields.map(field => [field.name, fieldShapeOf(field)])),
});

export const publishedOf = (types: readonly EventType[]): Published =>
  Object.fromEntries(types.map(type => [type.name, shapeOf(type)]));

const fieldShapeOf = ({ schema, absent, column, words }: Field): FieldShape => ({
  takes: takenOf(schema),
  ...(absent === undefined ? {} : { absent }),
  column,
  ...(words === undefined ? {} : { words: { ...words } }),
});

const takenNames = [
  'type',
  'const',
  'format',
  'minimum',
  'maximum',
  'exclusiveMaximum',
  'minLength',
  'maxLength',
  'maxItems',
] as const;

function takenOf(schema: TSchema): Taken {
  const taken: Record<string, unknown> = {};
  for (const name of takenNames)
    if (schema[name] !== undefined)
      taken[name] = typeof schema[name] === 'bigint' ? String(schema[name]) : schema[name];
  if (schema.items) taken.items = takenOf(schema.items as TSchema);
  if (schema.anyOf) taken.anyOf = (schema.anyOf as TSchema[]).flatMap(inner => takenOf(inner).anyOf ?? takenOf(inner));
  return taken;
}

/** Everything that differs from what was published. */
export function changesOf(published: Published, types: readonly EventType[]): Change[] {
  const current = new Map(types.map(type => [type.name, type]));
  const gone = Object.keys(published).filter(name => !current.has(name));
  return [
    ...gone.map(type => ({
      type,
      what: 'the type is gone: its writers are rejected, its records cannot be read',
      breaks: true,
    })),
    ...types.flatMap(type => {
      const was = published[type.name];
      if (was === undefined) return [{ type: type.name, what: 'a new type', breaks: false }];
      return typeChanges(was, shapeOf(type)).map(change => ({ type: type.name, ...change }));
    }),
  ];
}

/**
 * In words, every change that would break a writer or a reader and is not accounted for by a version and its upgrades.
 */
export function refusalsOf(published: Published, types: readonly EventType[]): string[] {
  const byName = new Map(types.map(type => [type.name, type]));
  return changesOf(published, types)
    .filter(({ breaks }) => breaks)
    .flatMap(({ type: name, what }) => {
      const type = byName.get(name);
      const was = published[name]!.version;
      if (type === undefined) return [`${name}: ${what}`];
      if (type.version < was) return [`${name}: version ${type.version} was published as ${was} already`];
      if (type.version === was)
        return [`${name}: ${what}. Raise version to ${was + 1} and give upgrades[${was}], or make it so that both fit`];
      return [];
    });
}

type Difference = Omit<Change, 'type'>;

const breaking = (what: string): Difference => ({ what, breaks: true });
const harmless = (what: string): Difference => ({ what, breaks: false });

function typeChanges(was: Shape, now: Shape): Difference[] {
  const names = new Set([...Object.keys(was.fields), ...Object.keys(now.fields)]);
  return [
    ...(now.version === was.version
      ? []
      : [
          now.version < was.version
            ? breaking('the version went back')
            : harmless(`version ${now.version}, was ${was.version}`),
        ]),
    ...(now.family === was.family
      ? []
      : [breaking(`family ${now.family}, was ${was.family}: its topic may be another`)]),
    ...(now.stream === was.stream
      ? []
      : [breaking(`stream ${now.stream}, was ${was.stream}: its topic may be another`)]),
    ...was.aliases.filter(alias => !now.aliases.includes(alias)).map(alias => breaking(`the name ${alias} is gone`)),
    ...now.aliases.filter(alias => !was.aliases.includes(alias)).map(alias => harmless(`also called ${alias}`)),
    ...[...names].flatMap(name => fieldChanges(name, was.fields[name], now.fields[name])),
  ];
}

function fieldChanges(name: string, was: FieldShape | undefined, now: FieldShape | undefined): Difference[] {
  if (was === undefined && now !== undefined)
    return [
      now.absent === undefined ? breaking(`field ${name} is new and required`) : harmless(`field ${name} is new`),
    ];
  if (now === undefined || was === undefined) return [breaking(`field ${name} is gone`)];
  const found: Difference[] = [];
  if (was.absent !== undefined && now.absent === undefined) found.push(breaking(`field ${name} is required now`));
  else if (was.absent !== now.absent)
    found.push((was.absent === undefined ? harmless : breaking)(`field ${name} is ${now.absent} when it is absent`));
  if (was.column !== now.column) found.push(breaking(`column ${name} is ${now.column}, was ${was.column}`));
  if (!covers(now.takes, was.takes)) found.push(breaking(`field ${name} no longer takes all it took`));
  else if (!covers(was.takes, now.takes)) found.push(harmless(`field ${name} takes more than it did`));
  const words = Object.entries(was.words ?? {}).filter(([number, word]) => now.words?.[number] !== word);
  for (const [number, word] of words) found.push(breaking(`${number} of field ${name} no longer means ${word}`));
  return found;
}

/** Whether everything `was` takes is taken by `now`. */
function covers(now: Taken, was: Taken): boolean {
  if (was.anyOf) return was.anyOf.every(inner => covers(now, inner));
  if (now.anyOf) return now.anyOf.some(inner => covers(inner, was));
  if (was.const !== undefined) return holds(now, was.const);
  if (now.const !== undefined) return false;
  const sameType = now.type === was.type || (now.type === 'number' && was.type === 'integer');
  if (!sameType || (now.format !== undefined && now.format !== was.format)) return false;
  if (now.items && !(was.items && covers(now.items, was.items))) return false;
  return (
    least(now.minimum) <= least(was.minimum) &&
    most(now.maximum) >= most(was.maximum) &&
    most(now.exclusiveMaximum) >= most(was.exclusiveMaximum) &&
    least(now.minLength) <= least(was.minLength) &&
    most(now.maxLength) >= most(was.maxLength) &&
    most(now.maxItems) >= most(was.maxItems)
  );
}

function holds(now: Taken, value: string | number): boolean {
  if (now.const !== undefined) return now.const === value;
  if (typeof value === 'string')
    return (
      now.type === 'string' &&
      !now.format &&
      value.length >= least(now.minLength) &&
      value.length <= most(now.maxLength)
    );
  if (now.type === 'integer' && !Number.isInteger(value)) return false;
  const isNumber = now.type === 'integer' || now.type === 'number';
  return isNumber && value >= least(now.minimum) && value <= most(now.maximum);
}

/** Bounds as numbers that compare exactly. */
const least = (bound: number | string | undefined): number | bigint =>
  bound === undefined ? Number.NEGATIVE_INFINITY : typeof bound === 'string' ? BigInt(bound) : bound;
const most = (bound: number | string | undefined): number | bigint =>
  bound === undefined ? Number.POSITIVE_INFINITY : typeof bound === 'string' ? BigInt(bound) : bound;
