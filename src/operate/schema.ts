// `ugc schema …`: what the definitions of the event types say, and everything that is derived from them, as text.

import type { EventType } from '../../schemas/event.ts';
import { type HiveFormat, hiveDdl } from '../../schemas/hive.ts';
import { typePage, versionsOf } from '../../schemas/markdown.ts';
import { hintOf } from '../../schemas/nearest.ts';
import { shapeOf } from '../../schemas/published.ts';
import { tableOf } from '../../schemas/table.ts';
import { typescriptOf } from '../../schemas/typescript.ts';
import { catalogueFor } from '../catalogue/type-folder.ts';
import type { Config } from '../config/config.ts';
import { choice, flag } from '../config/kinds.ts';
import { command } from './arguments.ts';
import { say, writeOut } from './output.ts';
import { check, diff, wantedOf } from './schema-check.ts';

interface Printing {
  readonly types: readonly EventType[];
  readonly format: HiveFormat;
  readonly isJson: boolean;
  readonly config: Config;
}

type Print = (printing: Printing) => string;

const prints: Readonly<Record<string, Print>> = {
  ls: ({ types, isJson }) => (isJson ? lines(types.map(summary)) : table(types.map(summary))),
  show: ({ types, isJson }) => (isJson ? lines(types.map(everything)) : types.map(shown).join('\n\n')),
  ddl: ({ types, config }) => ddl(types, config),
  hive: ({ types, format }) => types.map(type => hiveDdl(type, format)).join('\n\n'),
  types: ({ types }) => typescriptOf(types).trimEnd(),
  docs: ({ types }) => types.map(typePage).join('\n\n'),
};

const checks = { check, diff };
const words = [...Object.keys(prints), ...Object.keys(checks)];

export const schemaFlags = {
  json: flag({ default: false, help: 'One JSON object a line' }),
  format: choice({ of: ['parquet', 'csv'], default: 'parquet', help: 'Of the cold files that hive is about' }),
};

export const schema = command(schemaFlags, async ({ args, flags, config }) => {
  const isJson = flags.json;
  const [word = '', ...names] = args;
  if (!words.includes(word))
    return refuse(
      word === '' ? `schema takes one of ${words.join(', ')}` : `there is no schema ${word}${hintOf(word, words)}`,
    );
  const catalogue = catalogueFor(config);
  const unknown = names.find(name => catalogue.find(name) === undefined);
  if (unknown !== undefined) {
    const near = catalogue.nearest(unknown);
    return refuse(
      `there is no event type ${unknown}${near === undefined ? '; see ugc schema ls' : `; did you mean ${near}?`}`,
    );
  }
  const types = names.length > 0 ? names.map(name => catalogue.find(name)!) : catalogue.types;
  if (word === 'check' || word === 'diff') return checks[word]({ types, isJson, config });
  writeOut(`${prints[word]!({ types, isJson, config, format: flags.format })}\n`);
  return 0;
});

function refuse(problem: string): 2 {
  say(`ugc: ${problem}; see ugc help schema`);
  return 2;
}

const summary = ({ name, aliases, family, stream, version, fields, summary: about }: EventType) => ({
  type: name,
  aliases: aliases.join(','),
  family,
  stream,
  version,
  fields: Object.keys(fields).length,
  about,
});

const everything = (type: EventType) => ({
  ...summary(type),
  ...shapeOf(type),
  upgrades: versionsOf(type),
  columns: tableOf(type).columns,
  example: type.example,
});

const lines = (items: readonly object[]): string => items.map(item => JSON.stringify(item)).join('\n');

/** Rows of the same keys, in aligned columns. */
function table(rows: readonly Readonly<Record<string, string | number>>[]): string {
  const names = Object.keys(rows[0] ?? {});
  const cells = [names, ...rows.map(row => names.map(name => String(row[name])))];
  const widths = names.map((_, at) => Math.max(...cells.map(row => row[at]!.length)));
  return cells
    .map(row =>
      row
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Exported for its test. */
export function shown(type: EventType): string {
  const { name, aliases, family, stream, version, summary: about, allFields, example } = type;
  const called = aliases.length > 0 ? `, also called ${aliases.join(', ')}` : '';
  const versions = versionsOf(type).map(change => `\nversion ${change.version}: ${change.about}`);
  const fields = allFields.map(field => ({
    field: field.name,
    column: field.column,
    absent: field.absent ?? 'required',
    meaning: field.about,
  }));
  return `${name}${called}: ${about}\nfamily ${family}, stream ${stream}, version ${version}${versions.join('')}\n\n${table(fields)}\n\n${JSON.stringify(example, null, 2)}`;
}

function ddl(types: readonly EventType[], config: Config): string {
  const isWhole = types.length === catalogueFor(config).types.length;
  const { tables, views, aggregates } = wantedOf(types, config);
  // What is over all types, and the dead letters, are of no type.
  const own = new Set(types.flatMap(({ name }) => [name, `${name}_rows`, `${name}_local`]));
  return [...tables, ...views, ...aggregates]
    .filter(({ name }) => isWhole || own.has(name))
    .map(({ create }) => `${create};`)
    .join('\n\n');
}
