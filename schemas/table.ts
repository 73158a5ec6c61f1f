// From an event type to the table that holds it. Only names, types and words: how ClickHouse keeps rows exact is the
// adapter's business.

import { type Column, edgeColumns, type TableDefinition } from './columns.ts';
import { type EventType, type NamedField, wordColumn } from './event.ts';

export function tableOf(type: EventType): TableDefinition {
  return {
    type: type.name,
    version: type.version,
    summary: type.summary,
    ...(type.retentionDays === undefined ? {} : { retentionDays: type.retentionDays }),
    columns: [...edgeColumns, ...type.allFields.map(columnOf)],
  };
}

const columnOf = ({ name, column: type, about, words }: NamedField): Column => ({
  name,
  type,
  about,
  ...(words === undefined ? {} : { words: { column: wordColumn(name), of: words } }),
});
