// From an event type to the table that holds it. Only names, types and words: how ClickHouse keeps rows exact is the
// adapter's business.

import { type Column, edgeColumns, type TableDefinition } from './columns.ts';
import { type EventType, type NamedField, wordColumn } from './event.ts';

/** The name by which readers join types, where the type's own documents use another. */
const aliases: Readonly<Record<string, string>> = { video_id: 'film_id' };

export function tableOf(type: EventType): TableDefinition {
  return {
    type: type.name,
    version: type.version,
    summary: type.summary,
    ...(type.retentionDays === undefined ? {} : { retentionDays: type.retentionDays }),
    columns: [...edgeColumns, ...type.allFields.map(field => columnOf(field, type))],
  };
}

function columnOf({ name, column, about, words, kind }: NamedField, { fields }: EventType): Column {
  const alias = aliases[name];
  return {
    name,
    type: column,
    about,
    ...(kind === 'object' && { isJson: true }),
    ...(words === undefined ? {} : { words: { column: wordColumn(name), of: words } }),
    ...(alias === undefined || alias in fields ? {} : { alias }),
  };
}
