// From an event type to the table that holds it. Only names, types and words: how ClickHouse keeps rows exact is the
// adapter's business.

import type { Column, TableDefinition } from '../src/ports.ts';
import { type EventType, type NamedField, wordColumn } from './event.ts';

/** What the edge stamps on every event, in stored order. */
export const edgeColumns: readonly Column[] = [
  { name: 'event_id', type: 'UUID', about: 'Identity: the client’s, or a UUIDv7 given at the edge' },
  { name: 'event_type', type: 'LowCardinality(String)', about: 'Event type' },
  { name: 'schema_version', type: 'UInt16', about: 'Version of the event type’s definition' },
  { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'When the server took it' },
  { name: 'source', type: 'LowCardinality(String)', about: 'Name of the API key that sent it' },
  { name: 'ip', type: 'String', about: 'Client address' },
  { name: 'user_agent', type: 'String', about: 'User-Agent header of the request' },
  { name: 'timestamp', type: "DateTime64(3, 'UTC')", about: 'When it happened, by the client, corrected by sent_at' },
  { name: 'sent_at', type: "Nullable(DateTime64(3, 'UTC'))", about: 'The client’s clock when it sent' },
];

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

function columnOf({ name, column, about, words }: NamedField, { fields }: EventType): Column {
  const alias = aliases[name];
  return {
    name,
    type: column,
    about,
    ...(words === undefined ? {} : { words: { column: wordColumn(name), of: words } }),
    ...(alias === undefined || alias in fields ? {} : { alias }),
  };
}
