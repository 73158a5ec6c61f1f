// What the edge has rejected for good, counted: by minute, event type, reason, field and sender. Its rows travel as events
// do and have a table of their own, but they are no event type: no client can post one, and `events` does not show them.

import type { TableDefinition } from './columns.ts';
import { ownTopic } from './topic.ts';

export const rejectionsType = 'rejections';

export const rejectionsTable: TableDefinition = {
  type: rejectionsType,
  summary: 'What the edge has rejected, counted by minute, type, reason, field and sender',
  retentionDays: 90,
  isInternal: true,
  columns: [
    { name: 'event_id', type: 'UUID', about: 'Identity of the row' },
    { name: 'event_type', type: 'LowCardinality(String)', about: 'rejections' },
    { name: 'schema_version', type: 'UInt16', about: 'Version of this layout' },
    { name: 'received_at', type: "DateTime64(3, 'UTC')", about: 'When the row was written' },
    { name: 'timestamp', type: "DateTime64(3, 'UTC')", about: 'The minute they were rejected in' },
    { name: 'instance', type: 'UUID', about: 'The process that rejected them, from its start to its end' },
    { name: 'what', type: 'LowCardinality(String)', about: 'event, or body: a whole one that could not be read' },
    { name: 'type', type: 'LowCardinality(String)', about: 'Event type; (unknown) = none of the catalogue' },
    { name: 'reason', type: 'LowCardinality(String)', about: 'Why, in the word of the answer' },
    {
      name: 'path',
      type: 'LowCardinality(String)',
      about: 'The first wrong field, as a JSON pointer; (unknown) = one its type does not have, empty = none',
    },
    { name: 'source', type: 'LowCardinality(String)', about: 'Name of the API key that sent them' },
    { name: 'rejected', type: 'UInt64', about: 'How many, as often as they were sent' },
    { name: 'example', type: 'String', about: 'What the first looked like: known fields and sorts of values, as JSON' },
  ],
};

export const rejectionsTopic = (pattern: string): string => ownTopic(pattern, rejectionsType);
