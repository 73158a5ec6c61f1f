// The documentation of the types, as Markdown: a table of all for the README, a page of each for `ugc schema docs`.

import type { EventType, NamedField } from './event.ts';
import { expectation } from './misfit.ts';

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** One row a type: its names, what it tells, its own fields. */
export function typesTable(types: readonly EventType[]): string {
  const rows = types.map(type => {
    const names = [code(type.name), ...type.aliases.map(alias => `also ${code(alias)}`)].join(', ');
    const fields = type.allFields.filter(({ name }) => name in type.fields).map(briefly);
    return `| ${names} | ${cell(type.summary)} | ${fields.join(', ')} |`;
  });
  return ['| Event type | Tells | Its own fields |', '|---|---|---|', ...rows].join('\n');
}

/** A name, and what its column's type says in a word where it is no text. */
function briefly({ name, column, words, unit, absent }: NamedField): string {
  const said =
    words === undefined ? (unit ?? wordOf(column)) : Object.entries(words).map(([number, word]) => `${number} ${word}`);
  const rest = [...[said].flat(), ...(absent === 'null' ? ['or null'] : [])].filter(part => part !== '').join(', ');
  return code(name) + (rest === '' ? '' : ` (${rest})`);
}

function wordOf(column: string): string {
  if (column.includes('Float')) return 'number';
  if (column.includes('Int64')) return '64-bit integer';
  if (column.includes('Int')) return 'whole number';
  if (column.includes('UUID')) return 'UUID';
  if (column.includes('Bool')) return 'true or false';
  if (column.includes('DateTime')) return 'time';
  return column.startsWith('Array') ? 'list of texts' : '';
}

/** Everything there is to know of a type. */
export function typePage(type: EventType): string {
  const aliases = type.aliases.length > 0 ? ` Also called ${type.aliases.map(code).join(', ')}.` : '';
  const kept = type.retentionDays === undefined ? 'for ever' : `${type.retentionDays} days`;
  const rows = type.allFields.map(({ name, schema, column, about, absent }) => {
    const isNeeded = absent === undefined ? 'yes' : `no: ${code(absent)}`;
    return `| ${[code(name), cell(expectation(schema)), isNeeded, code(column), cell(about)].join(' | ')} |`;
  });
  return `## ${type.name}

${type.summary}.${aliases} Family ${type.family}, stream ${type.stream}, version ${type.version}, kept ${kept}.${history(type)}

| Field | Takes | Required | Column | Meaning |
|---|---|---|---|---|
${rows.join('\n')}

\`\`\`json
${JSON.stringify(type.example, null, 2)}
\`\`\``;
}

/** What each version changed; nothing of a type that has had one. */
function history(type: EventType): string {
  const changes = versionsOf(type).map(({ version, about }) => `\n- Version ${version}: ${cell(about)}.`);
  return changes.length === 0 ? '' : `\n\nRecords of earlier versions are read as this one:\n${changes.join('')}`;
}

/** The versions after the first, and what each changed. */
export const versionsOf = ({ upgrades = {} }: EventType): { readonly version: number; readonly about: string }[] =>
  Object.entries(upgrades).map(([from, { about }]) => ({ version: Number(from) + 1, about }));
